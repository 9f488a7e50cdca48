"""Real Synapse homeservers, and what the crawler says about them.

- `launcher`       the process: Synapse whose names are resolved by a DNS server of ours
- `dns_server`     that DNS server
- `certificates`   a certificate authority for one run
- `front`          a small HTTPS server: `.well-known` documents, key documents, a proxy that bends what passes
- `homeserver`     one Synapse: its configuration, its process, its logs
- `client`         the client and admin API as a test needs them
- `population`     users and rooms, and what the servers' own APIs say of them
- `federation`     all of it together: two homeservers that federate, and an identity for the crawler
- `probe`          a peer that signs with the reference library
- `command`        the command line, as typed against this federation
- `snapshot`       a crawl run as a subprocess, and the file it published
- `crossroads`     practice servers behind every branch of the resolution algorithm
- `broken`         one homeserver whose surroundings are broken in one way each
- `census_of_synapse`  the same by hand: `make census-of-synapse`

Everything blocks and starts threads and processes of its own, so that pytest and a script use it alike.
"""
