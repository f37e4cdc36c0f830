"""Note how long a command of the Makefile took: ``timed.py "make demo" <epoch second it began>``.

``make bench`` shows it. Only commands that ended well come here.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

TIMINGS = Path(__file__).resolve().parents[1] / ".local" / "timings.json"


def note(command: str, began: float, timings: Path = TIMINGS) -> None:
    """Write a command's wall time beside those of the others: its first here, and its last."""
    known = json.loads(timings.read_text(encoding="utf-8")) if timings.is_file() else {}
    seconds = round(time.time() - began, 1)
    known[command] = {
        "first_seconds": known.get(command, {}).get("first_seconds", seconds),
        "seconds": seconds,
        "at": f"{datetime.now(UTC):%Y-%m-%d}",
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
    timings.parent.mkdir(exist_ok=True)
    timings.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    note(sys.argv[1], float(sys.argv[2]))
