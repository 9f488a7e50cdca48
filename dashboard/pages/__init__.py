"""One module for each page: `layout(request)` builds it whole, `register` adds its thin callbacks where it has some.

- `overview`  six numbers and two charts
- `servers`   the table of servers; `server` one of them, with `server_steps`, every step of its last observation,
               and `check_now`, a look of this moment
- `rooms`     the table of public rooms
- `about`     what is counted and how, in plain words
- `states`    empty, not found, failed, loading

What they are made of: `cards` (a metric row), `charts` (what stands around a figure), `facts` (pairs, small tables).
"""
