"""The crawler: finds homeservers, checks each as a federating server would, keeps what it saw.

Rooms of this house, from the street to the cellar (an arrow of imports only ever goes down, see ARCHITECTURE.md):

- `cli`       the verbs a person types
- `engine`    the one loop of a crawl, the visit of one server, the frontier, what a visit makes us look at next
- `sources`   what is not crawled from servers
- `net`       sockets: DNS, pinned TLS connections, one HTTP exchange, pace for each address
- `store`     DuckDB: the census file, its schema, the serving file
- `lab`       the practice federation: real DNS, TLS and HTTP on loopback
- `listen`    one small TLS and HTTP server
- `protocol`  the Matrix specification without I/O
- `config`    settings
- `model`     the words everybody else speaks in
"""
