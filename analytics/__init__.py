"""Numbers from snapshots: a serving file becomes typed frames, frames become metric rows.

- `load`      serving file -> polars frames; the only module here that knows DuckDB
- `schemas`   the metric row, and the columns every frame has
- `snapshot`  one sealed crawl as numbers see it
- `funnel`    servers by predicate, from known to listing
- `software`  implementations, lineages, versions
- `rooms`     unique public rooms, memberships, the largest room, the state of directories
- `mission`   all rows of a snapshot; the order in which people read them
- `steps`     what runs after a crawl is sealed
- `cli`       the verb `metrics`

Everything but `load`, `steps` and `cli` is pure: frames in, rows out.
"""
