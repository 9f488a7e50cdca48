"""The verbs a person types, one module for each group of them; `matrix_census.py` mounts them.

Exit codes of every verb: 0 done; 1 it could not be done, or (check) the server does not federate; 2 bad input, with one
line that says what to do; 130 stopped by Ctrl-C or SIGTERM, with everything seen so far kept.
"""
