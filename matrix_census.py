"""The command line's root: mounts the verbs of every room of the house, and hands each what lives above it.

This is the one place that knows the whole house. What must run after a crawl is sealed, but lives higher up than the
crawler (metric rows, later the search index), is composed here and travels down in the context.
"""

import importlib
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from crawler.errors import CensusError

if TYPE_CHECKING:
    from crawler.store.draft import Draft

VERBS: dict[str, tuple[str, str]] = {
    "crawl": ("crawler.cli.crawl:crawl", "Take a census: find servers, check each, read directories."),
    "watch": ("crawler.cli.watch:watch", "Crawl on a schedule, and publish after each crawl."),
    "check": ("crawler.cli.check:check", "Check one server as a federating server would."),
    "status": ("crawler.cli.status:status", "List the crawls of a census file."),
    "migrate": ("crawler.cli.migrate:migrate", "Bring a census file to the schema of this program."),
    "diff": ("crawler.cli.diff:diff", "Say what changed between two crawls."),
    "verify": ("crawler.cli.verify:verify", "Check a census file, and what is published of it."),
    "publish": ("crawler.cli.keep:publish_verb", "Publish a census file anew."),
    "compact": ("crawler.cli.keep:compact", "Write a census file anew, as small as it can be."),
    "backup": ("crawler.cli.keep:backup", "Write a whole copy of a census file."),
    "restore": ("crawler.cli.keep:restore", "Write a census file from a backup."),
    "forget": ("crawler.cli.forget:forget", "Remove a server or room, history included, and keep it out."),
    "unforget": ("crawler.cli.forget:unforget", "Let a forgotten server or room be crawled again."),
    "export": ("crawler.cli.export:export", "Take a census with you, as Parquet or CSV."),
    "import-snapshot": ("crawler.cli.export:import_snapshot", "Read an export back, of another vantage too."),
    "import": ("crawler.cli.outside:import_group", "Import what no crawl sees: usage, developers, the spec."),
    "sql": ("crawler.cli.sql:sql", "Ask the newest serving file in SQL."),
    "metrics": ("analytics.cli:metrics", "Print the numbers of the newest census."),
    "alerts": ("analytics.cli:alerts", "Say what moved beyond its interval since the census before."),
    "report": ("analytics.cli_report:report", "Write a report on a month, a quarter or a year."),
    "audit": ("analytics.cli_audit:audit", "Have people label a sample of rooms, for a prevalence of noise."),
    "serve": ("dashboard.cli:serve", "Serve the dashboard of a census file."),
    "identity": ("crawler.cli.identity:identity", "Make, publish and try the key that signs our requests."),
    "lab": ("crawler.cli.lab:lab", "Run the practice federation by itself."),
    "rehearse": ("crawler.cli.rehearse:rehearse", "Days of the practice federation, without sockets."),
    "demo": ("dashboard.demo:demo", "See it work on a practice federation on this machine."),
    "bench": ("matrix_census:bench", "Measure speed, size and rightness, each as JSON."),
}
"""Verb -> (where it is, its line in --help). A verb's room is entered only when it is called: loading the whole house
takes seconds, and `--help` must not."""

BENCHES: dict[str, tuple[str, str]] = {
    "crawl": ("crawler.cli.bench:crawl", "A crawl of a practice federation against its floor of TLS handshakes."),
    "store": ("crawler.cli.bench:store", "History kept for years, beside full daily copies."),
    "metrics": ("analytics.bench_metrics:metrics", "The numbers of a census with years of censuses before it."),
    "dashboard": ("dashboard.bench:dashboard", "A served dashboard of a year of censuses, and its visitors."),
    "population": ("analytics.bench:population", "How often the intervals of the population estimates hold the truth."),
}
"""Bench -> the same; a group of their own, for they are for whoever changes the program."""


def _on_sealed(given: dict[str, Any]) -> tuple[Callable[["Draft"], None], ...]:
    """Steps that add tables to the draft of a serving file before it is swapped in. `given` is what the options of the
    verb put down for them: `geo_db`, files of hosting data."""

    def store_numbers(draft: "Draft") -> None:
        from analytics import steps  # polars: see VERBS

        steps.store_numbers(draft, given.get("geo_db", ()), lambda text: click.echo(f"{text} ...", err=True))

    return (store_numbers,)


class LazyGroup(click.Group):
    """A group whose verbs are loaded when they are called, in the order of their table."""

    def __init__(self, *args: Any, verbs: dict[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._verbs = verbs

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(self._verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in self._verbs:
            return None
        module, _, attribute = self._verbs[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Verbs"):
            formatter.write_dl([(verb, line) for verb, (_, line) in self._verbs.items()])


class Verbs(LazyGroup):
    """The group of all verbs; turns what ends a command into one line and a code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CensusError as error:
            raise _told(error) from error
        except BaseExceptionGroup as group:  # trio's nurseries wrap what ends them
            only = _only_error(group)
            if isinstance(only, KeyboardInterrupt):
                raise _Stopped from group
            if not isinstance(only, CensusError):
                raise
            raise _told(only) from group
        except KeyboardInterrupt as stopped:
            raise _Stopped from stopped
        except RuntimeError as error:
            # What DuckDB makes of Ctrl-C in the middle of a statement.
            if not isinstance(error.__cause__, KeyboardInterrupt):
                raise
            raise _Stopped from error
        except BrokenPipeError:
            # The reader of our output has left, as `head` does; the interpreter must not complain when it flushes.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)


class _Told(click.ClickException):
    """One line on standard error, and exit code 1."""

    def show(self, file: Any = None) -> None:
        del file
        click.echo(f"matrix-census: {self.message}", err=True)


class _BadInput(_Told):
    exit_code = 2


class _Stopped(_Told):
    exit_code = 130

    def __init__(self) -> None:
        super().__init__("stopped")


def _told(error: CensusError) -> _Told:
    return _BadInput(str(error)) if error.exit_code == _BadInput.exit_code else _Told(str(error))


def _only_error(group: BaseExceptionGroup[BaseException]) -> BaseException | None:
    leaves: list[BaseException] = []
    stack: list[BaseException] = [group]
    while stack:
        error = stack.pop()
        if isinstance(error, BaseExceptionGroup):
            stack.extend(error.exceptions)
        else:
            leaves.append(error)
    return leaves[0] if len(leaves) == 1 else None


@click.group(cls=Verbs, verbs=VERBS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="matrix-census", prog_name="matrix-census")
@click.pass_context
def main(ctx: click.Context) -> None:
    """A census of the open Matrix federation: crawl, snapshots, metrics with their uncertainty, dashboard.

    \b
    See it work, with a practice federation on this machine:   matrix-census demo
    Take a census of the live network:                         matrix-census crawl --contact me@example.org
    Look at what was found:                                    matrix-census serve
    Is my server well, and if not, why:                        matrix-census check example.org

    Exit codes: 0 done, 1 could not be done (check: does not federate), 2 bad input, 130 stopped by Ctrl-C.
    """
    ctx.ensure_object(dict)
    ctx.obj["on_sealed"] = _on_sealed(ctx.obj)


@click.group(cls=LazyGroup, verbs=BENCHES)
def bench() -> None:
    """Measure the program. Each bench prints one JSON object; only its ratios compare between machines."""


if __name__ == "__main__":
    main(prog_name="matrix-census")
