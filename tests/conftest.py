"""What every test run does: it says loudly what was skipped, and in CI it may skip nothing."""

import os

import hypothesis
import pytest

# No test asserts an absolute time, and a shared machine is slow at times: hypothesis is not to judge by the clock.
hypothesis.settings.register_profile(
    "census", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], print_blob=True
)
hypothesis.settings.load_profile("census")


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        terminalreporter.section("SKIPPED: not proven by this run", sep="*")
        for report in skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            terminalreporter.line(f"{report.nodeid}: {reason}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter is not None else []
    if skipped and os.environ.get("MATRIX_CENSUS_FORBID_SKIPS"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
