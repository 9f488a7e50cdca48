"""How far a crawl is, on the screen: a live panel on a terminal, plain lines elsewhere. Both on standard error."""

import sys

import trio
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from crawler.engine.progress import Progress
from crawler.engine.run import CrawlRun

LINE_EVERY_S = 5.0
REDRAW_EVERY_S = 0.25


async def show_progress(run: CrawlRun) -> None:
    """Show the run's progress until cancelled."""
    console = Console(stderr=True)
    started = trio.current_time()
    if console.is_terminal:
        with Live(console=console, auto_refresh=False, transient=True) as live:
            while True:
                live.update(progress_panel(run.progress, trio.current_time() - started), refresh=True)
                await trio.sleep(REDRAW_EVERY_S)
    while True:
        await trio.sleep(LINE_EVERY_S)
        print(progress_line(run.progress, trio.current_time() - started), file=sys.stderr, flush=True)


def progress_line(progress: Progress, elapsed_s: float) -> str:
    """One plain line."""
    paused = f"  PAUSED: {progress.paused}" if progress.paused else ""
    return (
        f"{elapsed_s:6.0f} s  visited {progress.visited} of {progress.known} known, online {progress.online}, "
        f"active {progress.active}, queued {progress.queued}, listings {progress.listings}"
        f"{paused}"
    )


def progress_panel(progress: Progress, elapsed_s: float) -> RenderableType:
    """The live panel."""
    rate = progress.visited / elapsed_s if elapsed_s > 0 else 0.0
    head = Text.assemble(
        (f"{progress.visited}", "bold"),
        f" of {progress.known} known servers visited, ",
        f"{rate:.1f} a second, {elapsed_s:.0f} s",
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
