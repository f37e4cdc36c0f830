"""Run the suites that try to break the bridge, and write what they counted.

``make reliability`` runs all parts and writes ``docs/reliability.md``; ``--only faults,planted``
runs some, and the others keep what stands in the document. Every part says when, and of which
commit, it was counted. Nothing in the document is typed by hand.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from scripts.generated import ROOT, section, table

DOCUMENT = ROOT / "docs" / "reliability.md"
MODEL = ROOT / "build" / "figures" / "model.json"
JOBS = "2"
FAULT = re.compile(r"test_f(\d{1,2})_(\w+)")


@dataclass
class Case:
    """One test function of a report, its parameters taken together.

    Attributes:
        name: the function's name.
        results: how many of its cases passed, failed, were skipped.
        figures: what it counted, added up over its cases.
        words: what it said that is no number.
    """

    name: str
    results: Counter[str] = field(default_factory=Counter)
    figures: Counter[str] = field(default_factory=Counter)
    words: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def read_report(report: Path) -> list[Case]:
    """The test functions of a JUnit report, in its order."""
    found: dict[str, Case] = {}
    for test in ET.parse(report).iter("testcase"):  # noqa: S314  written by our own pytest
        name = test.get("name", "").partition("[")[0]
        case = found.setdefault(f"{test.get('classname')}.{name}", Case(name))
        marks = {child.tag for child in test}
        result = next((one for one in ("failure", "error", "skipped") if one in marks), "passed")
        case.results[result] += 1
        for one in test.iter("property"):
            key, value = one.get("name", ""), one.get("value", "")
            if re.fullmatch(r"-?\d+", value):
                case.figures[key] += int(value)
            elif value and value not in case.words[key]:
                case.words[key].append(value)
    return list(found.values())


def pytest(*arguments: str, environment: Mapping[str, str] | None = None) -> list[Case]:
    """Run tests and read their report; a red test is part of what is reported."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", *arguments, f"--junitxml={report}"]
        # The newer family of reports has no place for what a test counted.
        command += ["-o", "junit_family=xunit1"]
        subprocess.run(command, cwd=ROOT, env={**os.environ, **(environment or {})}, check=False)
        return read_report(report)


def results(cases: Iterable[Case]) -> str:
    """How many passed, and whatever else they did."""
    counts: Counter[str] = Counter()
    for case in cases:
        counts.update(case.results)
    return ", ".join(f"{number:,} {result}" for result, number in sorted(counts.items()))


def counted(figures: Mapping[str, int], words: Mapping[str, Sequence[str]]) -> str:
    """What a test counted, for people."""
    numbers = [f"{name.replace('_', ' ')} {number:,}" for name, number in figures.items()]
    return "; ".join(
        numbers + [f"{name.replace('_', ' ')} {', '.join(said)}" for name, said in words.items()]
    )


# -- parts -------------------------------------------------------------------------------------


def faults() -> str:
    """Every failure of the list: its tests, where they prove it, and what they counted."""
    begun = time.monotonic()
    cases = pytest("-n", JOBS, "tests/faults")
    took = time.monotonic() - begun
    lines, loads = [], []
    for case in sorted(cases, key=_by_number):
        found = FAULT.match(case.name)
        if not found:
            continue
        words = dict(case.words)
        level = ", ".join(words.pop("level", []))
        loads += [(f"F{found[1]}", load) for load in words.pop("load", [])]
        what = found[2].replace("_", " ")
        lines.append((f"F{found[1]}", what, level, results([case]), counted(case.figures, words)))
    numbers = {line[0] for line in lines}
    sums: Counter[str] = Counter()
    for case in cases:
        sums.update({name: case.figures[name] for name in ("lost", "duplicated") if case.figures})
    return (
        f"{len(numbers)} failures, {results(cases)}, in {took:,.0f} s. "
        f"Lost: {sums['lost']:,}. Duplicated: {sums['duplicated']:,}.\n\n"
        + table(("", "load held"), loads)
        + "\n\n"
        + table(("", "what is so", "level", "cases", "counted"), lines)
    )


def _by_number(case: Case) -> tuple[int, str]:
    found = FAULT.match(case.name)
    return (int(found[1]) if found else 0, case.name)


def inputs() -> str:
    """Bad input: how much of it every source was given, and what vendors answered targets."""
    environment = {"HYPOTHESIS_PROFILE": "inputs"}
    cases = [
        *pytest("-n", JOBS, "-m", "hypothesis", "tests/contract", environment=environment),
        *pytest("-n", JOBS, "tests/contract/test_fuzzed_answers.py"),
    ]
    tried = sum(case.figures["inputs"] for case in cases)
    lines = [
        (case.name.removeprefix("test_").replace("_", " "), counted(case.figures, {}))
        for case in sorted(cases, key=lambda case: case.name)
    ]
    return f"{tried:,} inputs, {results(cases)}.\n\n" + table(("what is so", "tried"), lines)


def model() -> str:
    """Random schedules of faults against the model, and how often each really happened."""
    environment = os.environ | {"HYPOTHESIS_PROFILE": "faults"}
    command = [sys.executable, "-m", "pytest", "-q", "-n", JOBS, "tests/unit/schedules"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    told = json.loads(MODEL.read_text(encoding="utf-8"))
    points = [(name, f"{count:,}") for name, count in told["points"].items()]
    happened = [(name, f"{count:,}") for name, count in told["faults"].items()]
    return (
        f"{told['schedules']:,} schedules in {told['seconds']:,.0f} s; one effect and the newest "
        "state after each.\n\n"
        + table(("fault", "happened"), happened)
        + "\n\n"
        + table(("crash at", "happened"), points)
    )


def planted() -> str:
    """Mistakes planted on purpose, and the tests that noticed."""
    done = subprocess.run(
        [sys.executable, "scripts/planted.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    if not lines:
        raise RuntimeError(done.stderr)
    shown = [line.split("  ") for line in lines[:-1]]
    rows = [[cell.strip() for cell in line if cell.strip()] for line in shown]
    return f"{lines[-1]}.\n\n" + table(
        ("", "mistake", "noticed by"), [(*row[:-1], f"`{row[-1]}`") for row in rows]
    )


PARTS: dict[str, Callable[[], str]] = {
    "faults": faults,
    "inputs": inputs,
    "model": model,
    "planted": planted,
}
TITLES = {
    "faults": "Faults survived",
    "inputs": "Bad input",
    "model": "Random schedules",
    "planted": "Planted mistakes",
}


def document() -> str:
    """The document as it stands, or an empty one."""
    if DOCUMENT.is_file():
        return DOCUMENT.read_text(encoding="utf-8")
    parts = [
        f"## {TITLES[name]}\n\n<!-- {name}: begin -->\nNot run yet.\n<!-- {name}: end -->\n"
        for name in PARTS
    ]
    about = (
        "Written by `make reliability`, which runs the suites and counts. What each failure is, "
        "stands in the tests of that number in `tests/faults`.\n"
    )
    return "\n".join(["# Reliability\n", about, *parts])


def stamped(content: str, changed: str) -> str:
    """A part with its date, its commit and the machine."""
    commit = _git("rev-parse", "--short", "HEAD")
    return (
        f"{content}\n\nCounted {datetime.now(UTC):%Y-%m-%d %H:%M} UTC at commit "
        f"{commit}{changed}; Python {platform.python_version()} on {platform.machine()}, "
        f"{os.cpu_count()} cores."
    )


def _git(*words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run all parts or some, and write down what they counted."""
    parser = argparse.ArgumentParser(description="Count what the bridge survives.")
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of {','.join(PARTS)}")
    wanted = parser.parse_args(arguments).only.split(",")
    if unknown := set(wanted) - set(PARTS):
        sys.exit(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    # What this run writes is no reason to call the tree changed.
    changed = " with changes" if _git("status", "--porcelain", "--untracked-files=no") else ""
    for name in wanted:
        content = stamped(PARTS[name](), changed)
        print(content, flush=True)
        DOCUMENT.write_text(section(document(), name, content), encoding="utf-8")


if __name__ == "__main__":
    main()
