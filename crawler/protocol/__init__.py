"""The Matrix specification without I/O: parsers, builders, the resolution algorithm, signatures.

- `discovery`       the resolution algorithm as a generator: yields questions, is sent answers, returns a Resolution
- `wellknown` `srv` one answer of each kind, parsed; SRV order by RFC 2782
- `addresses`       which addresses may be dialled
- `canonical_json` `signing`  signed JSON and X-Matrix
- `federation`      answers of the federation and client API, parsed
- `paging`          reading a directory page by page
- `software`        version strings
- `optout`          how rooms and servers say no
"""
