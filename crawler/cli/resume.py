"""`crawl --resume`: what a resumed crawl is asked to do follows from how it began, and from nothing else.

Apart from `crawl`, because here every option that would make it another crawl is refused, with what to do instead. Not
taken from the past: where the census file is, the identity's secret key (the file holds its name only), where it is
served, and who has opted out by now.
"""

from typing import Any

from crawler.cli.options import settings_from
from crawler.config import Settings
from crawler.engine.optouts import OptOuts
from crawler.engine.plan import Plan
from crawler.engine.synthetic import trusts_only_the_lab
from crawler.errors import UsageError
from crawler.model.past import Interrupted
from crawler.protocol.signing import Identity
from crawler.settings import differing, stored_settings
from crawler.version import VERSION

NEWEST = "newest"
"""Value of --resume when no number is given."""

START_ANEW = "leave it out, or start a new crawl without --resume"


def number_to_resume(value: str) -> int | None:
    """The number in --resume; None: the newest.

    Raises:
        UsageError: it is none.
    """
    if value == NEWEST:
        return None
    if not (value.isascii() and value.isdigit()):
        raise UsageError(
            f"--resume wants the number of a crawl (see: matrix-census status), got {value!r}; a resumed crawl takes "
            "no seeds"
        )
    return int(value)


def resumed_plan(
    options: dict[str, Any], found: Interrupted, identity: Identity | None, opt_outs: OptOuts
) -> tuple[Settings, Plan]:
    """The settings and the plan of the crawl as it began.

    Raises:
        UsageError: an option contradicts them.
    """
    crawl = found.crawl
    try:
        settings = stored_settings(found.settings)
    except UsageError as error:
        raise UsageError(
            f"crawl {crawl.id} was begun by matrix-census {crawl.crawler_version}, whose settings are not all known "
            f"here ({error}); start a new crawl without --resume"
        ) from error
    beginning = found.settings.get("crawl", {})
    max_servers = beginning.get("max_servers")
    if options["seeds"] or options["seeds_files"]:
        raise UsageError(f"crawl {crawl.id} goes on from what it has found and takes no seeds; {START_ANEW}")
    if options["max_servers"] not in (None, max_servers):
        began_with = "without --max-servers" if max_servers is None else f"with --max-servers {max_servers}"
        raise UsageError(f"crawl {crawl.id} began {began_with}; {START_ANEW}")
    _refuse_other_settings(options, crawl.id, settings)
    _refuse_other_identity(crawl.id, found.identity, identity)
    if trusts_only_the_lab(settings.network.ca) is not crawl.synthetic:
        raise UsageError(
            f"crawl {crawl.id} trusted the certificate authorities in {settings.network.ca}, which are others now; "
            "start a new crawl without --resume"
        )
    plan = Plan(
        seeds=(),
        scope=crawl.scope,
        max_servers=max_servers,
        synthetic=crawl.synthetic,
        identity=found.identity,
        crawler_version=VERSION,
        insists=bool(beginning.get("insists", True)),
        opt_outs=opt_outs,
        resumes=crawl.id,
    )
    return settings, plan


def _refuse_other_settings(options: dict[str, Any], crawl_id: int, settings: Settings) -> None:
    other = differing(settings_from(options, options["contact"], base=settings), settings)
    if other:
        raise UsageError(
            f"crawl {crawl_id} began with another value of {', '.join(other)}, and one crawl has one set of settings; "
            f"{START_ANEW}"
        )


def _refuse_other_identity(crawl_id: int, began_as: str | None, identity: Identity | None) -> None:
    given = identity.server_name.raw if identity else None
    if began_as == given:
        return
    if began_as is None:
        raise UsageError(f"crawl {crawl_id} is unsigned and takes no --identity; {START_ANEW}")
    if given is None:
        raise UsageError(f"crawl {crawl_id} signs as {began_as}: give its --identity, and --serve-key if we serve it")
    raise UsageError(f"crawl {crawl_id} signs as {began_as}, not as {given}: give that --identity")
