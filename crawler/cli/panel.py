"""How far a crawl is, on standard error: a live panel on a terminal; plain lines or JSON lines where there is none."""

import json
import sys
from enum import StrEnum

import trio
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from crawler.engine.progress import Progress
from crawler.engine.rate import RecentRate
from crawler.engine.report import progress_document
from crawler.engine.run import CrawlRun
from crawler.net.traffic import Traffic

LINE_EVERY_S = 5.0
REDRAW_EVERY_S = 0.25


class Shown(StrEnum):
    """How progress is shown. AUTO: the panel on a terminal, else one JSON line every few seconds."""

    AUTO = "auto"
    JSON = "json"
    PLAIN = "plain"
    NONE = "none"


async def show_progress(run: CrawlRun, traffic: Traffic, shown: Shown) -> None:
    """Show the run's progress until cancelled."""
    if shown is Shown.NONE:
        return
    console = Console(stderr=True)
    started = trio.current_time()
    rate: RecentRate | None = None
    live = Live(console=console, auto_refresh=False, transient=True)
    on_terminal = shown is Shown.AUTO and console.is_terminal
    if on_terminal:
        live.start()
    try:
        while True:
            await trio.sleep(REDRAW_EVERY_S if on_terminal else LINE_EVERY_S)
            now = trio.current_time()
            if run.progress.crawl_id is None:
                continue
            if rate is None:  # what earlier sittings visited says nothing of how fast we are
                rate = RecentRate(now, run.progress.visited)
            rate.note(now, run.progress.visited)
            if on_terminal:
                live.update(progress_panel(run.progress, rate, now - started), refresh=True)
            elif shown is Shown.PLAIN:
                print(progress_line(run.progress, now - started), file=sys.stderr, flush=True)
            else:
                document = progress_document(run.progress, traffic, rate, now - started)
                print(json.dumps(document), file=sys.stderr, flush=True)
    finally:
        if on_terminal:
            live.stop()


def progress_line(progress: Progress, elapsed_s: float) -> str:
    """One plain line."""
    paused = f"  PAUSED: {progress.paused}" if progress.paused else ""
    return (
        f"{elapsed_s:6.0f} s  visited {progress.visited} of {progress.known} known, online {progress.online}, "
        f"active {progress.active}, queued {progress.queued}, listings {progress.listings}"
        f"{paused}"
    )


def progress_panel(progress: Progress, rate: RecentRate, elapsed_s: float) -> RenderableType:
    """The live panel."""
    eta_s = rate.eta_s(progress.queued + progress.active)
    head = Text.assemble(
        (f"{progress.visited}", "bold"),
        f" of {progress.known} known servers visited, ",
        f"{'-' if rate.per_s is None else f'{rate.per_s:.1f}'} a second, {_time(elapsed_s)}, ",
        f"about {_time(eta_s)} for those queued" if eta_s is not None else "the rest not foreseen yet",
    )
    funnel = Table.grid(padding=(0, 3))
    stages = ("resolves", "reachable", "secure", "online", "federating", "listing")
    funnel.add_row(*(Text(stage, style="dim") for stage in stages))
    funnel.add_row(*(Text(str(getattr(progress, stage)), style="bold") for stage in stages))
    now = Text(
        f"active {progress.active}   queued {progress.queued}   leads {progress.leads}   listings {progress.listings}"
    )
    paused = Text(f"PAUSED: {progress.paused}" if progress.paused else "", style="bold")
    failures = ", ".join(f"{kind} {count}" for kind, count in progress.failures.most_common(5)) or "none so far"
    return Panel(
        Group(head, paused, funnel, Text(), now, Text(f"failures: {failures}", style="dim")),
        title="Matrix Census",
        title_align="left",
        subtitle="Ctrl-C ends early and keeps what was seen",
        subtitle_align="left",
    )


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
