"""What really happened in all schedules: a table at the end of ``make fuzz``, and a file.

The shards tell it with their reports. A run that is long enough fails where no run ever died at one
of the numbered points, or where what matters most happened too seldom.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.kit.crash_points import POINTS

LONG = 100_000
ENOUGH = 1_000
OFTEN = ("crash", "tie", "lost reply", "lease loss")
ROOT = Path(__file__).resolve().parents[3]
FIGURES = ROOT / "build" / "figures" / "model.json"
BEGAN = pytest.StashKey[float]()


def pytest_configure(config):
    config.stash[BEGAN] = time.monotonic()


def pytest_sessionfinish(session, exitstatus):
    total = added_up(session.config)
    if exitstatus == 0 and total["schedules"] >= LONG and lacking(total):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    total = added_up(config)
    if total["schedules"] < LONG:
        return
    seconds = round(time.monotonic() - config.stash[BEGAN])
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    head = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(head, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603  fixed
    figures = total | {
        "seconds": seconds,
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "commit": commit.stdout.strip(),
    }
    FIGURES.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    terminalreporter.section(f"{total['schedules']:,} schedules in {seconds} s", sep="-")
    write = terminalreporter.write_line
    write(f"seed {total['seed']}")
    write("runs that died, by numbered point:")
    for point in POINTS:
        write(f"{point.number:4}  {point!s:34} {total['points'][str(point)]:>9,}")
    write("faults that happened:")
    for fault, count in total["faults"].items():
        write(f"      {fault:34} {count:>9,}")
    for lack in lacking(total):
        write(f"TOO SELDOM: {lack}")


def added_up(config):
    """What all shards told; of those that failed, too."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    schedules, seed = 0, ""
    points, faults = Counter(), Counter()
    for reports in reporter.stats.values() if reporter else ():
        for report in reports:
            for name, told in getattr(report, "user_properties", ()):
                if name == "schedules" and report.when == "call":
                    shard = json.loads(told)
                    schedules += shard["schedules"]
                    seed = shard["seed"]
                    points.update(shard["points"])
                    faults.update(shard["faults"])
    return {
        "schedules": schedules,
        "seed": seed,
        "points": {str(point): points[str(point)] for point in POINTS},
        "faults": dict(sorted(faults.items())),
    }


def lacking(total):
    """What happened too seldom for the figures to say anything."""
    never = [f"{point}: never" for point, count in total["points"].items() if not count]
    seldom = [
        f"{fault}: {total['faults'].get(fault, 0)} of more than {ENOUGH}"
        for fault in OFTEN
        if total["faults"].get(fault, 0) <= ENOUGH
    ]
    return never + seldom
