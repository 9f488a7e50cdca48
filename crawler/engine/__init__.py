"""What a crawl does, and in which order.

- `frontier`  which server comes next: pure, owned by the one loop
- `task`      what a worker is asked and what it answers
- `worker`    from a task to its outcome
- `visit`     one server, everything a crawl asks of it
- `aliases`   which aliases are asked of their owners after the visits: pure
- `lookup`    aliases asked of the server that owns them
- `directory` reading a public room directory through either door
- `tries`     the first, quick try of a server and the patient ones after it: pure
- `vigil`     whether we were fit to judge: pure
- `canary`    watches our loop and our network for it
- `schedule`  alive, dying, dead: when a server is due: pure
- `guard`     how many names of one maker are looked at: pure
- `optouts`   who wants nothing to do with us
- `permission` what robots.txt lets us do
- `spaces`    which spaces are still to be opened, and whom to ask: pure
- `explore`   spaces asked of the servers in them
- `patience`  waiting when a server asks us to
- `expand`    an observation -> the servers it names, each with who told us how: pure
- `plan`      what a crawl is asked to do
- `run`       the one nursery of a crawl: frontier, visitors, writer, seal
- `uncommitted` what it has seen and not committed yet
- `progress`  how far a crawl is, for a person and for a program
- `report`    what a crawl did, in numbers, kept in its row
- `rehearse`  days of the practice federation through the real writer, without sockets
- `check`     one server, every step shown
- `identity`  our own key: made, kept, published, tried
- `seeds`     lists of names to start from
"""
