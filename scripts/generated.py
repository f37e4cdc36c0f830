"""Documents, or sections of them, that are made from the code."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    heads = list(columns)
    lines = [heads, ["---"] * len(heads), *([_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def section(text: str, name: str, content: str) -> str:
    """A document with what stands between its two markers of that name replaced.

    Raises:
        ValueError: the document has no such markers.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    found = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if len(found.findall(text)) != 1:
        raise ValueError(f"there must be one {begin} ... {end}")
    return found.sub(lambda _: f"{begin}\n{content}\n{end}", text)


def stale(files: Mapping[Path, str]) -> list[str]:
    """The names of files that are not as they should be."""
    return [
        path.relative_to(ROOT).as_posix()
        for path, wanted in files.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != wanted
    ]


def write_or_check(files: Mapping[Path, str], description: str) -> None:
    """Write files; with ``--check`` write nothing, and fail where one is stale."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--check", action="store_true", help="only compare, and fail on a difference"
    )
    found = stale(files)
    if parser.parse_args().check:
        if found:
            sys.exit("\n".join([*(f"{name}: stale" for name in found), "make docs writes anew"]))
        return
    for path, wanted in files.items():
        path.write_text(wanted, encoding="utf-8")
    print(f"written: {', '.join(found) or 'nothing, all is as it should be'}")
