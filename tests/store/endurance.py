"""How often the tests that repeat themselves do so: a little in the gate, for long in `make endurance`."""

import os

ENDURANCE = bool(os.environ.get("MATRIX_CENSUS_ENDURANCE"))

KILLS = 100 if ENDURANCE else 10
PUBLICATIONS = 200 if ENDURANCE else 20
