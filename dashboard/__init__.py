"""The dashboard: FastAPI and Dash in one application on hypercorn's trio worker, reading the serving file.

- `app`       the factory: routes, pages, headers
- `serving`   the application behind a socket, until it is stopped
- `data`      the newest serving file, opened read-only and reopened when a new one is published
- `frame`     what stands around every page: navigation, the line that says which census, the theme switch
- `links`     addresses that go out; `prefix`: the path of a reverse proxy, taken off what comes in
- `routing`   an address becomes a page
- `table`     a table paged, filtered and sorted in SQL; `table_state`: its state, in the address
- `pages/`    one module for each page: layout of a request, and thin callbacks
- `figures/`  frames to figures, pure
- `api/`      answers for programs
- `palette`   the colours, once, for the style sheet and the figures
- `wording`   words for what the crawl records: predicates, failures, directory states
- `backend`   Dash's FastAPI backend as this stack needs it
- `security`  headers of every answer, and how large a request may be
- `cli`       the verb `serve`
"""
