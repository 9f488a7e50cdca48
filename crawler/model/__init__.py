"""The words everybody else speaks in: frozen dataclasses and enums, no I/O, no parsing of wire formats.

- `names`        ServerName, RoomId, RoomAlias and their grammar
- `discovery`    what resolving a server name asked, heard and concluded
- `observation`  what one visit to one server saw
- `rooms`        public rooms and directories
- `exposition`   numbers for Prometheus, and how they are written
- `crawl`        a crawl, its state and scope, and the leads that feed it
"""
