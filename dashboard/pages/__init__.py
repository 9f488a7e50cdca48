"""One module for each page: `layout(request)` builds it whole, `register` adds its thin callbacks where it has some.

- `overview`  the nine cards of `mission` and two charts
- `boards`    pages of charts under headings: Growth, Software, Decentralisation, Bridges, Signal, Discovery, Spec
- `chart`     one chart alone, and embedded
- `servers`   the table of servers; `server` one of them, with `server_steps`, every step of its last observation,
              `server_history`, its past, and `check_now`, a look of this moment
- `rooms`     the table of public rooms; `room` one of them; `signs` of noise
- `crawls`    how the crawls went; `data` to take away; `methods` of each number
- `about`     what is counted and how, in plain words
- `states`    empty, not found, failed, old, loading

What they are made of: `board` (controls and what they control), `charts` (what stands around a figure), `grades`,
`facts` (pairs, small tables).
"""
