"""What is written for Prometheus, held to what its own parsers read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open_metrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from crawler.model.exposition import Family, Sample, exposition

READ = {True: read_open_metrics, False: read_text}
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from('\n"\\'), max_size=20)
OTHER = "x" * 21
"""None of them."""


@pytest.mark.parametrize("open_metrics", [True, False])
@given(text=TEXTS, value=st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53))
def test_labels_and_numbers_come_back(open_metrics: bool, text: str, value: float) -> None:
    samples = (Sample(value, {"name": text}), Sample(0, {"name": OTHER}))
    family = Family("census_servers", "gauge", f"Of {text}.", samples)
    (read,) = READ[open_metrics](exposition([family], open_metrics=open_metrics))
    assert read.type == "gauge"
    assert [(sample.labels["name"], sample.value) for sample in read.samples] == [(text, float(value)), (OTHER, 0.0)]


@pytest.mark.parametrize("open_metrics", [True, False])
def test_counters_and_infos_are_named_as_each_format_wants(open_metrics: bool) -> None:
    families = [
        Family("census_crawls", "counter", "Crawls.", (Sample(3),)),
        Family("census_snapshot", "info", "Which.", (Sample(1, {"id": "a-1"}),)),
        Family("census_nothing", "gauge", "Nothing is known.", ()),
    ]
    text = exposition(families, open_metrics=open_metrics)
    crawls, snapshot, nothing = READ[open_metrics](text)
    assert [(sample.name, sample.value) for sample in crawls.samples] == [("census_crawls_total", 3.0)]
    assert [(sample.name, sample.labels) for sample in snapshot.samples] == [("census_snapshot_info", {"id": "a-1"})]
    assert nothing.samples == []
    assert text.endswith("# EOF\n") == open_metrics
