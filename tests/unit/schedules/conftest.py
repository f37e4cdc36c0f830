"""What really happened in all schedules, counted over the shards, as a table and a file.

A suite that is long enough to say so fails where a numbered point was never crashed at, or what
matters most happened too seldom.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

LONG = 100_000
"""From so many schedules on the counts must be there."""

ENOUGH = 1_000
OFTEN = ("crash", "tie", "lost reply", "lease loss")
ROOT = Path(__file__).resolve().parents[3]
FIGURES = ROOT / "build" / "figures" / "model.json"


def pytest_sessionfinish(session, exitstatus):
    """Add the shards up; xdist's workers have sent theirs with their reports by now."""
    config = session.config
    if hasattr(config, "workerinput"):
        return
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    told = [
        json.loads(value)
        for reports in reporter.stats.values()
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, value in report.user_properties
        if name == "schedules"
    ]
    total = added(told)
    if total["schedules"] < LONG:
        return
    config.stash[FOUND] = total
    write(total)
    if lacking(total) and exitstatus == 0:
        session.exitstatus = 1


FOUND: Any = None
