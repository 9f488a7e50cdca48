"""The practice federation: real DNS, real TLS and real HTTP on loopback for any number of virtual homeservers.

It exists so that a crawl can be scored: every server is what its tables say, on purpose, and `truth` says from the same
tables, never from our resolver, what a perfect crawl must find.

The world, pure and deterministic by seed; each fact is drawn from (seed, what, index), never from one long stream, so
that a server stays the same whatever is asked before it:

- `dice`         randomness by path
- `names`        operators, server names, words for rooms
- `software`     implementations and their releases, and the manners of each
- `deaths`       every way in which a name can be dead, and what a crawl must call it
- `plan`         who a server is: how it was meant to resolve, what it runs, who may read its directory
- `hosting`      addresses: own, shared, special, refusing, silent
- `presence`     where a server is: DNS records, web fronts, endpoints, certificates
- `rooms`        rooms, who is in them, which directories list them
- `world`        all of it put together
- `truth`        what a crawl must find

The servers, I/O:

- `dns`          a DNS server over UDP and TCP
- `certificates` an authority and its certificates, made when first asked for
- `directory`    public room directories in the dialect of each implementation
- `peers`        checks X-Matrix signatures against the key that the crawler serves
- `matrix`       the Matrix endpoints of every virtual server
- `seen`         what the practice servers saw of the crawler
- `run`          puts it up, says how to reach it, takes it down
"""
