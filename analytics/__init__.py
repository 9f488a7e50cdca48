"""Numbers from snapshots: a serving file becomes typed frames, frames become metric rows.

- `load`      serving file -> polars frames; the only module here that knows DuckDB
- `schemas`   the metric row, and the columns every frame has
- `snapshot`  one sealed crawl as numbers see it
- `funnel`    servers by predicate, from known to listing
- `software`  implementations, lineages, versions
- `rooms`     unique public rooms, memberships, the largest room, the state of directories
- `wording`   how numbers, times and shares are written for people
- `mission`   all rows of a snapshot; the order in which people read them
- `steps`     what runs after a crawl is sealed
- `cli`       the verb `metrics`

Estimators, on arrays and independent of Matrix: `amounts` and `estimate` (what they accept and return),
`concentration`, `population` and `log_linear` (on `poisson`), `rarefaction`, `survival`, `proportions`,
`misclassification`, `bootstrap`; `room_graph` and `resilience` (rooms and servers as a graph).

Everything but `load`, `steps` and `cli` is pure: frames in, rows out.
"""
