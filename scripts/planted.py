"""Plant mistakes one by one, and see the check that is there for each turn red.

A patch in ``tests/planted`` begins with two lines, ``Bug:`` what it breaks and ``Red:`` the test
that must notice. Each is tried on a copy of the working tree; the tree itself is not touched.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "tests" / "planted"
MADE = shutil.ignore_patterns(".*", "node_modules", "build", "cdk.out", "__pycache__", "*.egg-info")
AT_ONCE = 2
_HEAD = re.compile(r"Bug: (?P<bug>.+)\nRed: (?P<test>\S+)\n")


@dataclass(frozen=True)
class Planted:
    """One mistake.

    Attributes:
        patch: the file.
        bug: what is wrong with it, in a sentence.
        test: the test that must turn red, as pytest names it.
    """

    patch: Path
    bug: str
    test: str


def planted() -> list[Planted]:
    """All mistakes, by name.

    Raises:
        ValueError: a patch does not say what it breaks and what must notice.
    """
    found = []
    for patch in sorted(FOLDER.glob("*.patch")):
        head = _HEAD.match(patch.read_text(encoding="utf-8"))
        if head is None:
            msg = f"{patch.name} must begin with the lines 'Bug: ...' and 'Red: ...'"
            raise ValueError(msg)
        found.append(Planted(patch, head["bug"], head["test"]))
    return found


@contextmanager
def copy() -> Iterator[Path]:
    """A copy of the working tree without what is made from it."""
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=MADE)
        yield tree


def apply(patch: Path, tree: Path, *options: str) -> None:
    """Apply a patch.

    Raises:
        subprocess.CalledProcessError: it does not fit the tree any more.
    """
    command = ["git", "apply", *options, str(patch)]
    subprocess.run(command, cwd=tree, check=True, capture_output=True, text=True)


def run(tests: Iterable[str], tree: Path) -> int:
    """Run tests in a tree; gives pytest's exit code."""
    options = ["-q", "-x", "-p", "no:cacheprovider", "--no-header"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-m", "pytest", *options, *tests]
    return subprocess.run(
        command, cwd=tree, env=environment, capture_output=True, check=False
    ).returncode


def verdict(one: Planted) -> str:
    """Plant a mistake and say what its check makes of it; nothing to say where it turned red."""
    with copy() as tree:
        try:
            apply(one.patch, tree)
        except subprocess.CalledProcessError as error:
            return f"does not apply: {error.stderr.strip()}"
        # 1 is a failed test; anything else is no test, or a tree that does not even load.
        return {0: "NOT NOTICED", 1: ""}.get(run([one.test], tree), "the test did not run")


def main() -> None:
    """Try all, or those named."""
    parser = argparse.ArgumentParser(description="Plant mistakes and see the tests find them.")
    parser.add_argument("names", nargs="*", help="names of patches; all by default")
    names = set(parser.parse_args().names)
    chosen = [one for one in planted() if not names or one.patch.stem in names]
    with copy() as tree:
        if run(sorted({one.test for one in chosen}), tree):
            sys.exit("the named tests are not green without any mistake planted")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        verdicts = list(pool.map(verdict, chosen))
    for one, found in zip(chosen, verdicts, strict=True):
        print(f"{found or 'noticed':12}  {one.bug:58}  {one.test.rpartition('::')[2]}")
    noticed = verdicts.count("")
    print(f"{noticed} of {len(chosen)} planted mistakes noticed")
    if not chosen or noticed < len(chosen):
        sys.exit(1)


if __name__ == "__main__":
    main()
