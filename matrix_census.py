"""The command line's root: mounts the verbs of every room of the house and hands each what lives above it."""

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="matrix-census", prog_name="matrix-census")
def main() -> None:
    """A census of the open Matrix federation."""
