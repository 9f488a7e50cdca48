"""Published censuses of the made-up federation."""

from pathlib import Path

import pytest

from tests.dashboard.federation import publish, write_census, write_history


@pytest.fixture(scope="session")
def census(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A census file with one published, synthetic census. Not to be written to: every test reads it."""
    path = tmp_path_factory.mktemp("dashboard") / "census.duckdb"
    write_census(path)
    publish(path)
    return path


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A census file with three published censuses and a limited crawl. Not to be written to."""
    path = tmp_path_factory.mktemp("history") / "census.duckdb"
    write_history(path)
    publish(path)
    return path


@pytest.fixture(scope="session")
def real_census(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small one that is not synthetic and was made without an identity. Not to be written to."""
    path = tmp_path_factory.mktemp("unsigned") / "census.duckdb"
    write_census(path, servers=30, synthetic=False, identity=None)
    publish(path)
    return path
