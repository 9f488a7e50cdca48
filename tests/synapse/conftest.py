"""One federation of two real homeservers for all tests of a run, and their logs beside what failed."""

from collections.abc import Generator, Iterator

import pytest

from tests.synapse.broken import Surroundings, open_surroundings
from tests.synapse.federation import Federation, open_federation
from tests.synapse.homeserver import Options, Process

SIGN_UP = {"enable_registration": True, "enable_registration_without_verification": True}

_running = pytest.StashKey[list[Process]]()


@pytest.fixture(scope="session")
def federation(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    """alpha.test (open to clients without a token) and beta.test (not, but anybody may sign up there), both open over
    federation, with the limits on federating peers that Synapse ships, populated."""
    directory = tmp_path_factory.mktemp("synapse")
    alpha = Options(open_without_auth=True, default_federation_limits=True)
    beta = Options(default_federation_limits=True, more=SIGN_UP)
    with open_federation(directory, alpha=alpha, beta=beta) as opened:
        request.config.stash[_running] = [*opened.processes]
        try:
            yield opened
        finally:
            del request.config.stash[_running]


@pytest.fixture(scope="session")
def surroundings(request: pytest.FixtureRequest, federation: Federation) -> Iterator[Surroundings]:
    """gamma.test, sound, to be broken around; in the same network, so that alpha can be asked what it thinks of it."""
    with open_surroundings(federation.network, "gamma.test", options=Options(open_without_auth=True)) as opened:
        request.config.stash[_running].append(opened.process)
        yield opened


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and "federation" in getattr(item, "fixturenames", ()):
        for process in item.config.stash.get(_running, []):
            report.sections.append((f"logs of {process.server.name}", process.log_tail()))
    return report
