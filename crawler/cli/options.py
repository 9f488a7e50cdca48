"""Options that several verbs share, defined once, and what they become."""

from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import click

from crawler.config import Settings
from crawler.engine.identity import read_identity
from crawler.engine.seeds import typed_server_name
from crawler.errors import UsageError
from crawler.model.names import ServerName
from crawler.protocol.signing import Identity
from crawler.settings import load_settings

DEFAULT_DB = Path("data/census.duckdb")

F = TypeVar("F", bound=Callable[..., Any])


def _all(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    return lambda function: reduce(lambda f, decorate: decorate(f), reversed(decorators), function)


db_option = click.option(
    "--db",
    type=click.Path(path_type=Path, dir_okay=False),
    default=DEFAULT_DB,
    show_default=True,
    envvar="MATRIX_CENSUS_DB",
    show_envvar=True,
    help="The census file. What readers see is published beside it, in the folder serving/.",
)

settings_options = _all(
    click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE.toml",
        help="Settings: tables [limits], [politeness], [network]. The options below win over it.",
    ),
    click.option(
        "--set",
        "overrides",
        multiple=True,
        metavar="KEY=VALUE",
        help="One setting, for example limits.concurrency=50. Repeatable.",
    ),
)

network_options = _all(
    click.option("--dns", metavar="ADDRESS:PORT", help="Ask this DNS server instead of the system's."),
    click.option(
        "--ca",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Trust only the certificate authorities in this PEM file.",
    ),
    click.option(
        "--connect",
        multiple=True,
        metavar="A:P=A:P",
        help="Dial the right-hand address instead of the left; * stands for any. Repeatable, the first match wins. "
        "Applied after resolution and after every check.",
    ),
    click.option(
        "--allow-address",
        multiple=True,
        metavar="CIDR",
        help="Allow dialling these special addresses (loopback, private, ...). Repeatable. Without it none is ever "
        "dialled. With it the crawl is of a test or private federation.",
    ),
)

identity_option = click.option(
    "--identity",
    "identity_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Sign requests with this identity (see: matrix-census identity new --help).",
)

opt_out_option = click.option(
    "--opt-out",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    multiple=True,
    metavar="FILE",
    help="Never contact the servers and never store the rooms in this list: server names, *.DOMAIN, room IDs and "
    "aliases, one a line. Repeatable. The list opt-out.txt beside the census file is always obeyed.",
)


def _for_the_seal(ctx: click.Context, _: click.Parameter, files: tuple[Path, ...]) -> tuple[Path, ...]:
    """Put down what the steps after a seal need; they live above the crawler and find it in the root's context."""
    ctx.find_root().ensure_object(dict)["geo_db"] = files
    return files


geo_db_option = click.option(
    "--geo-db",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True, readable=True),
    envvar="MATRIX_CENSUS_GEO_DB",
    show_envvar=True,
    metavar="FILE.mmdb",
    expose_value=False,
    callback=_for_the_seal,
    help="Hosting data of yours (MaxMind DB): networks and countries of addresses. Repeatable. Without it they are "
    "unknown. Its name and date stand beside every figure that uses it.",
)

made_history_options = _all(
    click.option(
        "--servers",
        type=click.IntRange(min=20),
        default=20_000,
        show_default=True,
        metavar="N",
        help="Of the first day.",
    ),
    click.option(
        "--rooms",
        type=click.IntRange(min=20),
        default=300_000,
        show_default=True,
        metavar="N",
        help="Of the first day.",
    ),
    click.option(
        "--days", type=click.IntRange(min=2), default=365, show_default=True, metavar="N", help="Censuses, one a day."
    ),
)
"""How much history a bench makes up; by default that of the stated figures."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def settings_from(values: dict[str, Any], contact: str = "", base: Settings | None = None) -> Settings:
    """Settings from the shared options of a verb, as click hands them over; `base` counts where they say nothing.

    Raises:
        UsageError: see `crawler.settings.load_settings`; also a --ca that is no file.
    """
    ca = values.get("ca")
    if ca is not None and not Path(ca).is_file():
        raise UsageError(f"--ca: there is no file {ca}")
    return load_settings(
        values.get("config"),
        tuple(values.get("overrides") or ()),
        base=base,
        dns=values.get("dns") or "",
        ca=str(ca) if ca is not None else "",
        connect=tuple(values.get("connect") or ()),
        allow_address=tuple(values.get("allow_address") or ()),
        contact=contact,
    )


def identity_from(path: Path | None) -> Identity | None:
    """The identity in `path`, None when no file was given."""
    return read_identity(path) if path is not None else None


def server_name_argument(text: str) -> ServerName:
    """A server name as typed; see `crawler.engine.seeds.typed_server_name`."""
    return typed_server_name(text)
