"""Sockets, on trio: names become addresses, addresses become verified connections, connections carry exchanges.

From the wire up:

- `failures`   foreign exceptions become `Failure`: the only place
- `traffic`    what was asked and read: of the whole process, and of one visit with its budget
- `pacing`     how fast one address may be asked
- `dnswire`    one DNS query and its answer: multiplexed UDP, TCP when truncated
- `dns`        addresses and SRV records of a name; a small cache
- `dial`       the guard before every dial, connect rules, TCP
- `tls`        the shared context, the handshake, what a verified connection tells
- `transport`  `Connection`, one pinned connection under httpx's types; `Network`, what all of them share
- `fetch`      one exchange: pace, deadline, byte caps
- `drive`      `Visit`: the connections of one visit, any https URL with guarded redirects, server names resolved

Everything may be imported from where it stands; the engine needs `transport.Network`, `drive.Visit` and `fetch`.
"""
