"""Sockets, on trio: names become addresses, addresses become verified connections, connections carry exchanges.

From the wire up:

- `failures`            foreign exceptions become `Failure`: the only place
- `traffic` `pacing`    what was asked and read, and a visit's budget; how fast one address may be asked
- `lending` `borrowing` the same pace kept by several processes together
- `dnswire` `dns`       one DNS query over shared UDP sockets or TCP; addresses and SRV records of a name, a small cache
- `dial` `tls`          the guard before every dial, connect rules, TCP; the shared context, the handshake
- `stack`               what all connections of a process share
- `connection`          one pinned connection under httpx's types
- `content` `fetch`     an answer's content within its caps; one exchange, at a pace and within a deadline
- `drive` `session`     server names resolved; the connections of one visit, any https URL with guarded redirects
- `transport`           `Network`: where visits and connections come from

The rest of the crawler needs `transport.Network`, the `session.Session` of its visits, and `fetch`'s `Answer`.
"""
