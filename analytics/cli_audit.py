"""The verb `audit`: `draw` writes a blinded sample of rooms to label, `score` takes the labels back."""

import csv
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from analytics import wording
from analytics.audit import LABELS, UNSURE, Drawn, Scored, draw, score
from analytics.load import newest_snapshot
from analytics.load_stored import load_room_scores
from crawler.cli.options import db_option, json_option
from crawler.errors import StoreError, UsageError, printable
from crawler.store.serving import serving_file

COLUMNS = ("item", "name", "topic", "alias", "label")
BYTES_MAX = 20_000_000
"""Of a file that is read back: what a person labelled is smaller."""

_file = click.Path(dir_okay=False, path_type=Path)


@click.group(short_help="Have people label a sample of rooms, for a prevalence of noise.")
def audit() -> None:
    """How much of what is listed is noise, in the eyes of people.

    \b
    1. matrix-census audit draw --out rooms.csv --key key.json     a sample, blinded
    2. Give rooms.csv to two people; each fills the column label with noise, signal or unsure.
    3. matrix-census audit score --key key.json first.csv second.csv

    Without an audit the share of rooms with signs of noise (metric 7) is no prevalence.
    """


@audit.command("draw", short_help="Write a stratified, blinded sample of rooms to label.")
@db_option
@click.option("--rooms", type=click.IntRange(min=4), default=200, show_default=True, metavar="N", help="How many.")
@click.option("--seed", type=int, default=1, show_default=True, metavar="S", help="The same seed, the same rooms.")
@click.option("--out", type=_file, default=Path("audit.csv"), show_default=True, metavar="FILE", help="To be labelled.")
@click.option(
    "--key", type=_file, default=Path("audit-key.json"), show_default=True, metavar="FILE", help="To be kept from them."
)
def draw_verb(db: Path, rooms: int, seed: int, out: Path, key: Path) -> None:
    """Draw listed rooms of the newest census, as many with no sign of noise as with one, two, three or more.

    The file to label has name, topic and alias in random order, and says nothing of signs or scores; the key says what
    was drawn from what. Neither file that is there is overwritten.
    """
    serving = serving_file(db)
    found = load_room_scores(serving) if serving is not None else None
    if serving is None or found is None or found.rooms.is_empty():
        raise UsageError(f"{db} has no census with listed rooms; take one with: matrix-census crawl --db {db}")
    pairs = [(str(room_id), int(value)) for room_id, value in found.rooms.select("room_id", "score").iter_rows()]
    items = draw(pairs, rooms, np.random.default_rng(seed))
    counts = Counter(value for _, value in pairs)
    text = {row["room_id"]: row for row in found.rooms.iter_rows(named=True)}
    try:
        with out.open("x", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            for number, (room_id, _) in enumerate(items, start=1):
                shown = text[room_id]
                writer.writerow(
                    [number, *(_cell(shown[column]) for column in ("name", "topic", "canonical_alias")), ""]
                )
        with key.open("x", encoding="utf-8") as file:
            json.dump(
                {
                    "snapshot_id": newest_snapshot(serving),
                    "crawl_id": found.crawl_id,
                    "synthetic": found.synthetic,
                    "seed": seed,
                    "rooms_by_score": {str(value): rooms for value, rooms in sorted(counts.items())},
                    "items": items,
                },
                file,
                indent=1,
            )
    except FileExistsError as error:
        raise UsageError(f"{error.filename} is there already; choose another with --out or --key") from error
    except OSError as error:
        raise StoreError(f"cannot write {error.filename}: {error.strerror}") from error
    click.echo(f"{wording.plural(len(items), 'room')} to label in {out}, the key to them in {key}", err=True)


@audit.command("score", short_help="Take labels back: agreement, and the corrected prevalence of noise.")
@click.option("--key", type=_file, required=True, metavar="FILE", help="What `audit draw` wrote.")
@click.argument("labelled", nargs=-1, required=True, type=_file, metavar="LABELLED.csv...")
@json_option
def score_verb(key: Path, labelled: tuple[Path, ...], *, as_json: bool) -> None:
    """Print how far the labels of two people agree (Cohen's kappa) and, for every number of signs from which a room
    would be flagged, how often that is right and what share of the listed rooms is noise.

    A room counts where all who labelled it agree, and not where one is unsure. Rows of the files may be in any order;
    other columns than item and label are not read.
    """
    drawn = _read_key(key)
    labels = [_read_labels(file, len(drawn.items)) for file in labelled]
    found = score(drawn, labels, np.random.default_rng(drawn.seed))
    if as_json:
        click.echo(json.dumps(_as_json(drawn, found), indent=1))
        return
    if drawn.synthetic:
        click.echo("Synthetic: rooms of the practice federation; says nothing about the real one.")
    click.echo(f"items with a label\t{found.used}\nunsure or disputed\t{found.unsure}")
    if found.kappa is not None:
        click.echo(f"Cohen's kappa\t{_with_interval(found.kappa.value, found.kappa.lo, found.kappa.hi)}")
    click.echo("signs\tflagged\tsensitivity\tspecificity\tprevalence")
    for each in found.thresholds:
        shares = (each.flagged, each.sensitivity, each.specificity)
        prevalence = _with_interval(each.prevalence.value, each.prevalence.lo, each.prevalence.hi)
        click.echo(
            f"{each.threshold} or more\t{chr(9).join(wording.NOT_KNOWN if s is None else f'{s:.4f}' for s in shares)}"
            f"\t{prevalence}"
        )


def _with_interval(value: float | None, lo: float | None, hi: float | None) -> str:
    if value is None:
        return wording.NOT_KNOWN
    return f"{value:.4f}" if lo is None or hi is None else f"{value:.4f} ({lo:.4f} to {hi:.4f})"


def _as_json(drawn: Drawn, found: Scored) -> dict[str, object]:
    kappa = found.kappa
    return {
        "snapshot_id": drawn.snapshot_id,
        "crawl_id": drawn.crawl_id,
        "synthetic": drawn.synthetic,
        "used": found.used,
        "unsure": found.unsure,
        "kappa": None if kappa is None else {"value": kappa.value, "lo": kappa.lo, "hi": kappa.hi, "n": kappa.n},
        "thresholds": [
            {
                "signs": each.threshold,
                "flagged": each.flagged,
                "sensitivity": each.sensitivity,
                "specificity": each.specificity,
                "prevalence": each.prevalence.value,
                "lo": each.prevalence.lo,
                "hi": each.prevalence.hi,
                "method": each.prevalence.method,
            }
            for each in found.thresholds
        ],
    }


def _cell(text: object) -> str:
    """Text of a stranger for a spreadsheet, which runs what begins like a formula."""
    shown = "" if text is None else printable(str(text))
    return f"'{shown}" if shown.startswith(("=", "+", "-", "@", "\t", "\r")) else shown


def _text_of(file: Path) -> str:
    try:
        if file.stat().st_size > BYTES_MAX:
            raise UsageError(f"{file} has more than {BYTES_MAX} bytes; it is no file of an audit")
        return file.read_text("utf-8-sig")
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not UTF-8; save it as CSV in UTF-8") from error


def _read_key(file: Path) -> Drawn:
    try:
        told = json.loads(_text_of(file))
        return Drawn(
            snapshot_id=str(told["snapshot_id"]),
            crawl_id=int(told["crawl_id"]),
            synthetic=bool(told["synthetic"]),
            seed=int(told["seed"]),
            rooms_by_score={int(value): int(rooms) for value, rooms in told["rooms_by_score"].items()},
            items=tuple((str(room_id), int(value)) for room_id, value in told["items"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(f"{file} is no key of an audit; it is the file that audit draw wrote with --key") from error


def _read_labels(file: Path, items: int) -> Sequence[str]:
    found: dict[int, str] = {}
    rows = csv.DictReader(_text_of(file).splitlines())
    if rows.fieldnames is None or not {"item", "label"} <= set(rows.fieldnames):
        raise UsageError(f"{file} has no columns item and label")
    for row in rows:
        number, label = (row["item"] or "").strip(), (row["label"] or "").strip().lower() or UNSURE
        if not (number.isascii() and number.isdecimal() and 1 <= int(number) <= items):
            raise UsageError(f"{file}, line {rows.line_num}: there is no item {printable(number)} in the key")
        if label not in LABELS:
            raise UsageError(
                f"{file}, line {rows.line_num}: {printable(label)} is no label; give one of {', '.join(LABELS)}"
            )
        if int(number) in found:
            raise UsageError(f"{file}, line {rows.line_num}: item {number} is there twice")
        found[int(number)] = label
    return [found.get(number, UNSURE) for number in range(1, items + 1)]
