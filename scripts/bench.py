"""Measure what the figures promise, and write them to ``docs/benchmarks.md``.

``--only cpu,imports`` measures some parts; the others keep what stands in the document. A figure
stands beside one that was measured in the same run, because machines differ: ratios last.
"""

from __future__ import annotations

import argparse
import base64
import gc
import hashlib
import hmac
import json
import os
import platform
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Any

from fizzbridge.manifest import load_registry
from fizzbridge.observation import Seen
from fizzbridge.runtime import rows
from fizzbridge.state.objects import MemoryObjects
from fizzbridge.webhook.reading import read
from fizzbridge.webhook.request import Delivery
from platforms.shopify.webhook import ShopifyWebhook
from scripts.generated import ROOT, section, table

DOCUMENT = ROOT / "docs" / "benchmarks.md"
TIMINGS = ROOT / ".local" / "timings.json"
SAMPLE = ROOT / "events" / "shopify" / "orders_create__retail_vat_included.json"
SECRET = "signing-secret"  # noqa: S105  # signs what is only measured
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
SIZES = {"2 KB": (2_000, 500), "64 KB": (64_000, 300), "900 KB": (900_000, 40)}
"""Bytes of the order, and how often it is read."""
START_UPS = 15
SHOWN_MODULES = 6
NOT_IN_THE_LAYER = ("click", "pygments", "rich")
"""What the development environment has and httpx would import for its command line."""

SERVICES = ("announce", "assess", "record", "sweep", "census", "watch", "canary")


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of the sorted values lies, the last one included."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


# -- cpu ---------------------------------------------------------------------------------------


def order_of(size: int) -> bytes:
    """A Shopify order of about so many bytes: the sample, with fewer fields or more lines."""
    order = json.loads(json.loads(SAMPLE.read_text(encoding="utf-8"))["body"])
    if size < len(json.dumps(order)):
        order = _slim(order)
    line = order["line_items"][0]
    missing = size - len(json.dumps(order))
    more = max(missing // (len(json.dumps(line)) + 2), 0)
    order["line_items"] += [line | {"id": line["id"] + number} for number in range(1, more + 1)]
    return json.dumps(order).encode()


def _slim(order: dict[str, Any]) -> dict[str, Any]:
    wanted = "id name processed_at updated_at currency taxes_included test current_total_price_set"
    wanted += " current_total_tax current_total_discounts financial_status line_items"
    kept = {name: order[name] for name in wanted.split()}
    return kept | {"line_items": order["line_items"][:1], "shipping_lines": []}


def measured(work: Callable[[], object], times: int) -> list[float]:
    """CPU milliseconds of each of so many runs, after a warm-up."""
    for _ in range(max(times // 10, 3)):
        work()
    gc.collect()
    found = []
    for _ in range(times):
        start = time.thread_time_ns()
        work()
        found.append((time.thread_time_ns() - start) / 1e6)
    return found


def cpu() -> str:
    """Verify, parse, map and serialise an order, beside HMAC and ``json.loads`` alone."""
    webhook, objects = ShopifyWebhook(), MemoryObjects()
    lines = []
    for name, (size, times) in SIZES.items():
        body = order_of(size)
        digest = hmac.digest(SECRET.encode(), body, hashlib.sha256)
        headers = {
            "x-shopify-topic": "orders/create",
            "x-shopify-hmac-sha256": base64.b64encode(digest).decode(),
        }
        delivery = Delivery(headers=headers, body=body, received_at=NOW)

        def whole(delivery: Delivery = delivery) -> None:
            webhook.signature.verify(delivery, [SECRET], NOW)
            for seen in read(webhook, delivery, "shop-uk") or ():
                if isinstance(seen, Seen) and seen.body:
                    seen.body.fingerprint()
                    rows.part_row(
                        seen.body, version="t", connection="shop-uk", observed_at=NOW,
                        objects=objects,
                    )  # fmt: skip

        def floor(body: bytes = body) -> None:
            hmac.digest(SECRET.encode(), body, hashlib.sha256)
            json.loads(body)

        ours, least = measured(whole, times), measured(floor, times)
        lines.append(
            (
                name,
                f"{len(body):,}",
                f"{len(json.loads(body)['line_items'])}",
                f"{percentile(ours, 0.5):.2f} / {percentile(ours, 0.99):.2f}",
                f"{percentile(least, 0.5):.3f} / {percentile(least, 0.99):.3f}",
                f"{percentile(ours, 0.5) / percentile(least, 0.5):.1f}",
            )
        )
    columns = ("order", "bytes", "lines", "ours p50 / p99", "floor p50 / p99", "ratio of p50")
    return (
        "CPU milliseconds of one thread: signature, JSON, wire model, mapping, and the rows of all "
        "parts (fingerprint, JSON, compressed where large). The floor is HMAC and `json.loads`.\n\n"
        + table(columns, lines)
    )


# -- imports -----------------------------------------------------------------------------------


def functions() -> Iterator[str]:
    """The module of every function there is."""
    for slug, manifest in load_registry(ROOT).items():
        for name, shape in manifest.functions:
            if shape:
                yield f"platforms.{slug}.{name}"
    for service in SERVICES:
        yield f"services.{service}"


def importing(name: str) -> str:
    """The statement that imports a function's module as it is imported on Lambda."""
    absent = f"import sys; sys.modules.update(dict.fromkeys({NOT_IN_THE_LAYER!r}))"
    return f"{absent}; import {name}"


def start_up(statement: str) -> float:
    """CPU milliseconds of a fresh interpreter that does this and ends."""
    process = subprocess.Popen([sys.executable, "-c", statement], env=_environment())
    _, status, usage = os.wait4(process.pid, 0)
    # Popen would wait for the process again when it is collected.
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, statement)
    return (usage.ru_utime + usage.ru_stime) * 1000


def modules(name: str) -> str:
    """The packages whose own code takes longest to import, in milliseconds."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", importing(name)],
        env=_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    own: Counter[str] = Counter()
    for found in re.finditer(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)", done.stderr):
        own[found[2].partition(".")[0]] += int(found[1])
    shown = own.most_common(SHOWN_MODULES)
    return ", ".join(f"{package} {micro / 1000:.0f}" for package, micro in shown)


def imports() -> str:
    """What each function's import costs, beside an interpreter that does nothing."""
    names = list(functions())
    for name in names:
        start_up(importing(name))
    found: dict[str, list[float]] = {name: [] for name in ["", *names]}
    # In turns, so that whatever else the machine does falls on all of them alike.
    for _ in range(START_UPS):
        for name, values in found.items():
            values.append(start_up(importing(name) if name else "pass"))
    bare = median(found.pop(""))
    lines = [
        (f"`{name}`", f"{median(values):.0f}", f"{median(values) / bare:.1f}", modules(name))
        for name, values in found.items()
    ]
    columns = ("function", "CPU ms", "times bare Python", "longest of its packages, ms")
    return (
        f"CPU time of a whole process that imports the function's module, median of {START_UPS}. "
        f"Bare Python takes {bare:.0f} ms.\n\n" + table(columns, lines)
    )


def _environment() -> dict[str, str]:
    paths = [ROOT / "layers" / "common" / "python", ROOT / "functions"]
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {"PYTHONPATH": os.pathsep.join(map(str, paths))}


# -- whole ways, and how long the commands take -------------------------------------------------


def levels() -> str:
    """A row for each shop that is told of stock."""
    from scripts.bench_levels import levels as measure

    return measure()


def sources() -> str:
    """A row for each shop."""
    from scripts.bench_sources import sources as measure

    return measure()


def local() -> str:
    """Orders through the local stack, beside a function that does nothing."""
    from scripts.bench_local import local as measure

    return measure()


def commands() -> str:
    """How long the commands of a new machine took when they last ran."""
    known = json.loads(TIMINGS.read_text(encoding="utf-8")) if TIMINGS.is_file() else {}
    lines = [
        (
            *(f"`{name}`", f"{one['first_seconds']:.0f}", f"{one['seconds']:.0f}"),
            *(one["at"], str(one["cores"]), one["python"]),
        )
        for name, one in sorted(known.items())
    ]
    columns = ("command", "first, setting up, s", "last, s", "when", "cores", "Python")
    return table(columns, lines) if lines else "Neither has run here yet."


PARTS: dict[str, Callable[[], str]] = {
    "cpu": cpu,
    "sources": sources,
    "levels": levels,
    "imports": imports,
    "local": local,
    "commands": commands,
}
TITLES = {
    "cpu": "What a delivery costs",
    "sources": "What each shop costs",
    "levels": "Ten thousand changes of stock",
    "imports": "What a cold start imports",
    "local": "From the shop to the ERP on this machine",
    "commands": "What a new machine waits for",
}


def document() -> str:
    """The document as it stands, or an empty one."""
    if DOCUMENT.is_file():
        return DOCUMENT.read_text(encoding="utf-8")
    parts = [
        f"## {TITLES[name]}\n\n<!-- {name}: begin -->\nNot measured yet.\n<!-- {name}: end -->\n"
        for name in PARTS
    ]
    about = "Written by `make bench`. Ratios and counts last; times are this machine's.\n"
    return "\n".join(["# Benchmarks\n", about, *parts])


def stamped(content: str) -> str:
    """A part with the machine it was measured on."""
    load = os.getloadavg()[0]
    return (
        f"{content}\n\nPython {platform.python_version()} on {platform.machine()}, "
        f"{os.cpu_count()} cores with a load of {load:.1f}, {datetime.now(UTC):%Y-%m-%d}."
    )


def main() -> None:
    """Measure all parts or some, and write them down."""
    parser = argparse.ArgumentParser(description="Measure what the figures promise.")
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of {','.join(PARTS)}")
    wanted = parser.parse_args().only.split(",")
    if unknown := set(wanted) - set(PARTS):
        sys.exit(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    text = document()
    for name in wanted:
        print(f"{name} ...", flush=True)
        content = PARTS[name]()
        text = section(text, name, content if name == "commands" else stamped(content))
        DOCUMENT.write_text(text, encoding="utf-8")
        print(content, flush=True)


if __name__ == "__main__":
    main()
