"""Numbers from snapshots: a serving file becomes typed frames, frames become metric rows.

What comes in:

- `load`       serving file -> polars frames; the only module here that knows DuckDB
- `schemas`    the metric row, and the columns every frame has
- `snapshot`   one sealed crawl as numbers see it, and the history before it
- `reference`  tables that ship: implementations, bridges, releases of the specification
- `hosting`    networks and countries of addresses, from the operator's own data

What is counted, in the order of the mission:

- `charter`    the nine metrics of the mission: words, definition, estimator, pitfalls; written once
- `funnel` `unseen`      servers by predicate; how many there are, seen or not
- `growth`     change, births, deaths, returns, retention, survival, from intervals
- `software` `code`      implementations, lineages, versions; lineages with a repository that people work on
- `rooms`      unique public rooms, memberships, the largest room, the state of directories
- `bridges`    rooms with bridge evidence, by `fingerprints` of aliases and lists of third-party networks
- `room_text` `near_duplicates` `language` `signal`   signs of noise, and their share
- `discovery`  from an online server to a room one can join
- `freshness` `known_item` `diversity`     whether listings are fresh, found by their name, and of many kinds
- `spec` `conformance`     releases, lags and adoption of the specification; who does as it says
- `cohorts` `versions`         what is left of those that came together; how fast new versions spread
- `operators` `federation_graph` `decentralisation` `graph_tables`     who holds how much, what is lost when they go

What comes out:

- `definitions`     what the metric of each row is
- `mission`    all rows of a snapshot
- `wording`    how numbers, times and shares are written for people
- `steps`      what runs after a crawl is sealed
- `alerts`     what moved beyond its interval
- `report` `report_words` `report_html` `report_markdown` `svg`     a period on paper
- `audit`      a blinded sample for people to label, and what their labels say
- `cli` `cli_report` `cli_audit`     the verbs `metrics` and `alerts`, `report`, `audit`
- `simulated` `bench`    federations of known size, to try the estimates on; `bench_metrics`: what a publish costs

Estimators, on arrays and independent of Matrix: `amounts` and `estimate` (what they accept and return),
`concentration`, `population` and `log_linear` (on `poisson`), `rarefaction`, `survival`, `proportions`,
`misclassification`, `agreement`, `bootstrap`; `room_graph` and `resilience` (rooms and servers as a graph).

Everything but `load`, `reference`, `hosting`, `steps`, the benches and the verbs is pure: frames in, rows out.
"""
