"""What a platform still lacks, named: the list somebody who writes an adapter works through.

Each finding belongs to a rule; the manifest may exempt a platform from a rule, with a reason.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fizzbridge.manifest import Manifest, load_registry
from fizzbridge.model.entity import LEVEL_KINDS
from fizzbridge.observation import Hint, Seen
from fizzbridge.runtime.pull import PullAdapter
from fizzbridge.webhook.adapter import WebhookAdapter
from fizzbridge.webhook.reading import read
from fizzbridge.webhook.request import Delivery
from tests.kit.source import Fixture, http_event

ROOT = Path(__file__).parents[2]
AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
FILES = ("__init__.py", "manifest.toml", "wire.py", "mapping.py", "sandbox.py", "README.md")
SECTIONS = ("Connect", "What it does", "Limits")
TARGET_FACTS = "base_url settings secret seed create required created cancelled".split()
RULES = ("files", "readme", "webhook", "fixtures", "pull", "target", "sandbox", "quality")


def missing(slug: str, root: Path = ROOT) -> list[str]:
    """Every gap of a registered platform as ``rule: what is missing``, exempted rules left out."""
    manifest = load_registry(root)[slug]
    exempt = manifest.quality.exempt
    return [
        f"{rule}: {gap}"
        for rule, gap in _gaps(slug, manifest, root)
        if rule not in exempt or rule == "quality"
    ]


def _gaps(slug: str, manifest: Manifest, root: Path) -> Iterator[tuple[str, str]]:
    folder, events = root / "functions" / "platforms" / slug, root / "events" / slug
    has = manifest.functions
    parts: list[tuple[str, Iterable[str]]] = [
        ("files", _files(folder, manifest)),
        ("readme", _readme(folder / "README.md")),
        ("sandbox", _sandbox(slug)),
        ("quality", _quality(manifest)),
    ]
    if has.webhook:
        webhook = importlib.import_module(f"platforms.{slug}.webhook").handler.adapter
        parts += [
            ("webhook", _webhook(slug, webhook)),
            ("fixtures", _fixtures(events, webhook, manifest)),
        ]
    if has.pull:
        parts.append(("pull", _pull(_adapter(slug, "pull", PullAdapter), manifest)))
    if has.target:
        parts.append(("target", _target(slug, manifest, events)))
    for rule, gaps in parts:
        for gap in gaps:
            yield rule, gap


def _files(folder: Path, manifest: Manifest) -> Iterator[str]:
    functions = [f"{name}.py" for name, shape in manifest.functions if shape]
    for name in (*FILES, *functions):
        if not (folder / name).is_file():
            yield f"no {name}"


def _readme(readme: Path) -> Iterator[str]:
    text = readme.read_text(encoding="utf-8") if readme.is_file() else ""
    headings = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    for section in SECTIONS:
        if section not in headings:
            yield f"README.md has no section '{section}'"


def _sandbox(slug: str) -> Iterator[str]:
    if not hasattr(importlib.import_module(f"platforms.{slug}.sandbox"), "make"):
        yield "sandbox.py has no make(seed)"


def _quality(manifest: Manifest) -> Iterator[str]:
    quality = manifest.quality
    if quality.tier != "bronze" and quality.tried != "account":
        yield f"tier {quality.tier} needs to be tried against an account"
    for rule, reason in quality.exempt.items():
        if rule not in RULES:
            yield f"'{rule}' is no rule to be exempt from: {', '.join(RULES)}"
        elif len(reason.split()) < 3:
            yield f"the exemption from '{rule}' gives no reason"


def _webhook(slug: str, webhook: WebhookAdapter) -> Iterator[str]:
    if webhook.platform != slug:
        yield f"webhook.py says it is {webhook.platform}"
    if not webhook.routes:
        yield "webhook.py: routes is empty"


def _fixtures(events: Path, webhook: WebhookAdapter, manifest: Manifest) -> Iterator[str]:
    found = [Fixture.read(path) for path in sorted(events.glob("*__*.json"))]
    deliveries = [Delivery.from_event(http_event(one.headers, one.body), AT) for one in found]
    if not found:
        yield f"no deliveries in events/{events.name}"
    if not any((events / name).is_file() for name in ("source.json", "target.json")):
        yield f"no events/{events.name}/source.json: what is ordered in the sandbox"
    for topic in sorted(set(webhook.routes) - {webhook.topic(one) for one in deliveries}):
        yield f"no fixture for topic {topic}"
    told = [one for delivery in deliveries for one in read(webhook, delivery, "shop") or ()]
    shown = {one.ref.kind for one in told if isinstance(one, Seen) and one.body}
    # What deliveries only name is shown by pull.
    named = {one.what for one in told if isinstance(one, Hint)}
    # One read of a thing that is sold shows its price and its stock as well.
    if LEVEL_KINDS & {one.of for one in told if isinstance(one, Hint)}:
        named |= {kind.lower() for kind in LEVEL_KINDS}
    # Where deliveries show nothing, what is read back is proven by the contract of shops.
    for kind in manifest.entities.source if shown else ():
        if kind not in shown and not any(what.startswith(kind.lower()) for what in named):
            yield f"no fixture shows kind {kind}, which the manifest says it reports"


def _pull(adapter: PullAdapter, manifest: Manifest) -> Iterator[str]:
    if type(adapter).fetch is PullAdapter.fetch:
        yield "pull.py: fetch is not coded"
    if manifest.streams and type(adapter).changes is PullAdapter.changes:
        names = ", ".join(stream.name for stream in manifest.streams)
        yield f"pull.py: changes is not coded, and the manifest has streams: {names}"

    if manifest.rechecked and type(adapter).existing is PullAdapter.existing:
        yield "pull.py: existing is not coded, and the manifest says rechecked"


def _target(slug: str, manifest: Manifest, events: Path) -> Iterator[str]:
    module = importlib.import_module("fizzbridge.runtime.target")
    adapter = _adapter(slug, "target", module.TargetAdapter)
    if not adapter.entities:
        yield "target.py: entities is empty"
    for kind in manifest.entities.target:
        if kind not in adapter.entities:
            yield f"target.py holds no kind {kind}, which the manifest says it does"
    facts = events / "target.json"
    known = json.loads(facts.read_text(encoding="utf-8")) if facts.is_file() else {}
    for name in TARGET_FACTS if manifest.is_booked else ():
        if name not in known:
            yield f"events/{slug}/target.json does not say '{name}'"


def _adapter(slug: str, function: str, base: type) -> Any:
    """The one adapter class a module defines, made."""
    module = importlib.import_module(f"platforms.{slug}.{function}")
    (found,) = (
        kind
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, base) and kind.__module__ == module.__name__
    )
    return found()
