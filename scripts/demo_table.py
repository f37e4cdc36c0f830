"""Write the table of a demo run into README.md.

``python -m infra.local demo --json > .local/demo.json``, then
``python -m scripts.demo_table .local/demo.json``. Not part of ``make docs``: every run has other
seconds.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from scripts.generated import ROOT, section, table

README = ROOT / "README.md"
COLUMNS = {
    "order": "order",
    "case": "what is special",
    "sent": "sent",
    "order_class": "class",
    "lines": "lines",
    "total": "total",
    "erp_number": "ERP",
    "state": "state",
    "seconds": "seconds",
}


def shown(run: dict[str, Any]) -> str:
    """The run's table and how long it took.

    Raises:
        ValueError: an order was not where it must be.
    """
    orders = run["orders"]
    if wrong := [one["order"] for one in orders if one["wrong"]]:
        raise ValueError(f"not where they must be: {', '.join(wrong)}")
    cells = ([_cell(one[name]) for name in COLUMNS] for one in orders)
    took = f"{len(orders)} orders in {run['took_s']} s, on two cores, the emulator included."
    return f"{table(COLUMNS.values(), cells)}\n\n{took}"


def _cell(value: str | float | None) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str("" if value is None else value)


def main() -> None:
    """Write the section."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("run", type=Path, help="what the demo answered with --json")
    run = json.loads(parser.parse_args().run.read_text(encoding="utf-8"))
    text = README.read_text(encoding="utf-8")
    README.write_text(section(text, "demo", shown(run)), encoding="utf-8")


if __name__ == "__main__":
    main()
