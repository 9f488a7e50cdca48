"""The practice federation: real DNS, real TLS and real HTTP on loopback for any number of virtual homeservers.

It exists so that a crawl can be scored: every server is what its tables say, on purpose, and `truth` says from the same
tables, never from our resolver, what a perfect crawl must find.

The world, pure and deterministic by seed; each fact is drawn from (seed, what, index), never from one long stream, so
that a server stays the same whatever is asked before it:

- `dice`         randomness by path
- `profile`      what kind of federation: showcase, calm, realistic, hostile
- `names`        operators, server names, words for rooms
- `software`     implementations and their releases, and the manners of each
- `deaths`       every way in which a name can be dead, and what a crawl must call it
- `oddities`     what is unusual about servers that are alive
- `robots`       robots.txt in all its forms
- `roster`       every case once
- `plan`         who a server is: how it was meant to resolve, what it runs, who may read its directory
- `planner`      plans each server by itself
- `days`         what changes from day to day: births, deaths, returns, upgrades, rooms
- `hosting`      addresses: own, shared, special, refusing, silent
- `network`      the words for where a server is: DNS records, routes, endpoints, certificates
- `site`         what an operator sets up, part by part
- `presence`     where each server is: the branches of server discovery, put together from those parts
- `published`    what a server says of itself to clients, administrators and peers
- `rooms`        rooms, who is in them, which directories list them
- `spaces`       rooms that hold rooms, some of which stand in no directory
- `bridges`      rooms of third-party networks, for who asks for all networks
- `world`        all of it put together
- `truth`        what a crawl must find
- `glimpse`      what a perfect crawl of one day would see, without any socket

The servers, I/O:

- `dns`          a DNS server over UDP and TCP
- `certificates` an authority and its certificates, made when first asked for
- `directory`    public room directories in the dialect of each implementation
- `hierarchy`    what a server tells of a space
- `peers`        checks X-Matrix signatures against the key that the crawler serves
- `fronts`       web fronts: .well-known in every shape
- `matrix`       the Matrix endpoints of every virtual server
- `seen`         what the practice servers saw of the crawler, request by request and in sum
- `sockets` `files`  ports that refuse, stay silent or stall; what a crawler is started with
- `run`          puts it up, says how to reach it, takes it down
"""
