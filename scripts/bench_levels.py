"""Ten thousand changes of stock at each shop that is told of it, within the shop's own limits."""

from __future__ import annotations

import importlib
import logging
from typing import Any

from fizzbridge.manifest import load_registry
from fizzbridge.observability import log
from scripts.generated import ROOT, table

# The test kit is not typed; what is used of it here is its report.
KIT: Any = importlib.import_module("tests.kit.volume")
CHANGES, ITEMS = 10_000, 500
PARALLEL, PER_MINUTE = 2, 120
COLUMNS = (
    "shop",
    "changes, items",
    "wrong at the end",
    "calls that set stock",
    "all calls",
    "at once, of so many",
    "a minute, of so many",
    "refused",
    "set before the fulfilment",
    "shop's minutes",
    "seconds",
)


def levels() -> str:
    """A row for each shop."""
    log.setLevel(logging.ERROR)
    names = {slug: one.name for slug, one in load_registry(ROOT).items()}
    rows = [_row(names[slug], slug) for slug in sorted(KIT.STANDS)]
    return (
        f"{CHANGES:,} changes of {ITEMS} items come from the ERP as fast as they are taken in, "
        "through the real runtime with six target functions, in one process with the state table "
        "in memory and a clock 30 times as fast as ours; the shop counts calls at once and in a "
        "minute by that clock, with polls and checks beside. In the middle an order is shipped: "
        "*set before the fulfilment* are the calls that set stock between its message and the "
        "fulfilment.\n\n" + table(COLUMNS, rows)
    )


def _row(name: str, slug: str) -> tuple[str, ...]:
    report = KIT.Volume(KIT.STANDS[slug](ITEMS, PARALLEL, PER_MINUTE)).run(CHANGES)
    return (
        name,
        f"{report.changes:,}, {report.items}",
        str(len(report.wrong)),
        str(report.writes),
        str(report.calls),
        f"{report.parallel} of {PARALLEL}",
        f"{report.per_minute} of {PER_MINUTE}",
        str(report.refused),
        str(report.calls_before),
        f"{report.minutes:.1f}",
        f"{report.seconds:.0f}",
    )
