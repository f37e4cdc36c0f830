"""Settings all tests share."""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import HealthCheck, settings

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
# Deadlines time; timing belongs in benchmarks, and two cores are shared by the workers.
settings.register_profile("unit", max_examples=60, deadline=None, suppress_health_check=SLOW)
# One test of schedules runs a hundred thousand; forty rules of the trade run as many together. Bad
# input is counted by twelve dozen tests, of all platforms.
for name, cases in (("faults", 100_000), ("fuzz", 2_500), ("inputs", 500)):
    settings.register_profile(
        name, max_examples=cases, deadline=None, suppress_health_check=SLOW, database=None
    )
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "unit"))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item, call):
    """How many inputs a test has tried, for its report."""
    if call.when == "call":
        told = getattr(item, "hypothesis_statistics", "")
        tried = sum(map(int, re.findall(r"(\d+) passing", told)))
        item.user_properties += [("inputs", str(tried))] if tried else []


def pytest_terminal_summary(terminalreporter):
    """How many requests to each target were held against its vendor's own specification."""
    lines = [
        line
        for report in terminalreporter.stats.get("passed", ())
        for name, line in report.user_properties
        if name == "validated" and report.when == "call"
    ]
    if lines:
        terminalreporter.section("requests the vendors' specifications allow", sep="-")
        for line in sorted(lines):
            terminalreporter.write_line(line)
