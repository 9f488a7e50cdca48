"""One federation of two real homeservers for all tests of a run, and their logs beside what failed."""

from collections.abc import Generator, Iterator

import pytest

from tests.synapse.federation import Federation, open_federation
from tests.synapse.homeserver import Options

_running = pytest.StashKey[Federation]()


@pytest.fixture(scope="session")
def federation(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    """alpha.test (open to clients without a token) and beta.test (not), both open over federation, populated."""
    directory = tmp_path_factory.mktemp("synapse")
    with open_federation(directory, alpha=Options(open_without_auth=True), beta=Options()) as opened:
        request.config.stash[_running] = opened
        try:
            yield opened
        finally:
            del request.config.stash[_running]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    federation = item.config.stash.get(_running, None)
    if report.failed and federation is not None and "federation" in getattr(item, "fixturenames", ()):
        report.sections.append(("homeserver logs", federation.log_tail()))
    return report
