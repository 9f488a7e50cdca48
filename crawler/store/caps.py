"""How much of a remote text or list a census file takes, at most.

Parsers have cleaned and capped already, each by its own rules. These are the store's: one text that DuckDB cannot store
would lose a whole batch of other servers' observations.
"""

IDENTIFIER = 255
"""Most characters of room IDs, aliases, room types, header and certificate names, error codes."""
SOFTWARE = 256
ROOM_NAME = 255
TOPIC = 4096
URL = 1024
LINE = 2000
"""Most characters of one line of a resolution step, which may quote a list of records."""
DETAIL = 300
KEYS = 100
NAMES = 100
"""Names of one certificate."""
SPEC_VERSIONS = 200
FEATURES = 1000
RTC_FOCI = 20
CONTACTS = 20
