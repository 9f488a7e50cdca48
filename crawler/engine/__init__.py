"""What a crawl does, and in which order.

- `frontier`  which server comes next: pure, owned by the one loop
- `visit`     one server, everything a crawl asks of it
- `lookup`    aliases asked of the server that owns them
- `expand`    an observation -> the servers it names, each with who told us how: pure
- `run`       the one nursery of a crawl: frontier, visitors, writer, seal
- `progress`  how far a crawl is, for a person and for a program
- `report`    what a crawl did, in numbers, kept in its row
- `check`     one server, every step shown
- `identity`  our own key: made, kept, published, tried
- `seeds`     lists of names to start from
"""
