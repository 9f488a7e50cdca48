"""Numbers for Prometheus, as families of samples, and how they are written: OpenMetrics 1.0 and the older text format.

Apart from who tells them (`watch` of its crawls, the dashboard of the census), so that both speak alike. Of gauges and
counters alone the two formats differ in a few words: OpenMetrics knows a counter by its name without `_total`, and ends
with `# EOF`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
TEXT = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Sample:
    """One number with its labels."""

    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Family:
    """Samples of one name. `kind` info: a number 1 whose labels are what is told; counters and infos are named without
    their suffix. A family without samples is told all the same: nothing is known of it now."""

    name: str
    kind: Literal["gauge", "counter", "info"]
    meaning: str
    samples: tuple[Sample, ...]


_SUFFIX = {"gauge": "", "counter": "_total", "info": "_info"}


def exposition(families: Iterable[Family], *, open_metrics: bool) -> str:
    """The text."""
    lines = [line for family in families for line in _lines(family, open_metrics=open_metrics)]
    return "".join(f"{line}\n" for line in (*lines, *(["# EOF"] if open_metrics else [])))


def _lines(family: Family, *, open_metrics: bool) -> Iterator[str]:
    full_name = family.name + _SUFFIX[family.kind]
    told_name = family.name if open_metrics else full_name
    kind = "gauge" if family.kind == "info" and not open_metrics else family.kind
    # In the old format a quotation mark in a help text stands for itself; in OpenMetrics it is escaped.
    meaning = _escaped(family.meaning) if open_metrics else family.meaning.replace("\\", "\\\\").replace("\n", "\\n")
    yield f"# HELP {told_name} {meaning}"
    yield f"# TYPE {told_name} {kind}"
    for sample in family.samples:
        labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in sample.labels.items())
        yield f"{full_name}{f'{{{labels}}}' if labels else ''} {_number(sample.value)}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(float(value))
