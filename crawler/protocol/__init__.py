"""The Matrix specification without I/O: parsers, builders, the resolution algorithm, signatures.

- `discovery`       the resolution algorithm as a generator: yields questions, is sent answers, returns a Resolution
- `wellknown` `srv` one answer of each kind, parsed; SRV order by RFC 2782
- `questions`       what discovery asks and may be answered
- `addresses`       which addresses may be dialled, and in what order
- `json_body`       JSON from strangers, and its text made fit to be kept
- `canonical_json` `signing`  signed JSON and X-Matrix
- `federation`      URIs and answers of the federation and client API
- `directory` `paging`  one page of a room directory, parsed; reading it page by page
- `software`        version strings
- `optout`          how rooms and servers say no
"""
