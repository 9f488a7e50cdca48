"""The verbs a person types, one module for each group of them; `matrix_census.py` mounts `commands`.

Exit codes of every verb: 0 done; 1 it could not be done, or (check) the server does not federate; 2 bad input, with one
line that says what to do; 130 stopped by Ctrl-C or SIGTERM, with everything seen so far kept.
"""

import click

from crawler.cli.check import check
from crawler.cli.crawl import crawl
from crawler.cli.identity import identity
from crawler.cli.lab import lab
from crawler.cli.status import status

commands: tuple[click.Command, ...] = (crawl, check, status, identity, lab)
"""In the order in which --help lists them."""
