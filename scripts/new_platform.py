"""Start a platform: the folder with its eight files, its line in the registry, its events folder.

What comes out is a connection that understands nothing yet. It passes the style and type checks;
``tests/contract/test_completeness.py`` then lists what is still missing.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SLUG = re.compile(r"[a-z][a-z0-9_]{1,30}")

FILES = {
    "__init__.py": '"""{name}: say what it is a source of and a target for."""\n',
    "manifest.toml": """\
name = "{name}"
api = "REST v1"
docs = "https://{slug}.example/docs"
streams = [{{ name = "orders", every = "15 minutes" }}]

[functions.webhook]
memory_mb = 512
timeout_s = 10

[functions.pull]
memory_mb = 512
timeout_s = 60

[functions.target]
memory_mb = 512
timeout_s = 60

[entities]
source = ["Order"]
target = ["Order", "Customer"]

[secrets]
signing = ["active"]
api = ["access_token"]

[quality]
tier = "bronze"
tried = "documented"
""",
    "wire.py": '''\
"""{name}'s shapes: only the fields we use, as its documentation names them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Wire(BaseModel):
    """What {name} sends; it may add fields at any time."""

    model_config = ConfigDict(frozen=True, extra="ignore")
''',
    "mapping.py": '''\
"""Between {name}'s words and ours: pure functions, without input, output or clock.

One for each topic (``order(told, connection) -> Iterator[Told]``), and one for each payload that a
target should hold (``order(request, assessment, situation) -> wire.Order``).
"""
''',
    "webhook.py": '''\
"""{name}'s webhooks: name the page, its version, the day it was read, and the quirks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from fizzbridge.model.version import Timestamp
from fizzbridge.webhook.adapter import Route, WebhookAdapter
from fizzbridge.webhook.handler import webhook_handler
from fizzbridge.webhook.request import Delivery
from fizzbridge.webhook.signatures import HmacSha256


class {cls}Webhook(WebhookAdapter):
    """Deliveries, each topic with its wire model and its mapping."""

    platform = "{slug}"
    signature = HmacSha256(headers=("x-{header}-signature",))
    clock = Timestamp("second")
    routes: ClassVar[Mapping[str, Route[Any]]] = {{}}

    def topic(self, delivery: Delivery) -> str:
        """What happened."""
        return delivery.headers.get("x-{header}-topic", "")

    def delivery_id(self, delivery: Delivery) -> str:
        """The vendor's id of the delivery."""
        return delivery.headers.get("x-{header}-delivery", "")


handler = webhook_handler({cls}Webhook())
''',
    "pull.py": '''\
"""Reading {name}: name the page, its version, the day it was read, and the quirks.

``fetch`` reads what a hint names, ``changes`` a page of what changed since a cursor, sorted by time
of change and id.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from fizzbridge.http.auth import Bearer
from fizzbridge.http.classify import ErrorRules
from fizzbridge.model.version import Timestamp
from fizzbridge.runtime.pull import PullAdapter
from fizzbridge.runtime.puller import pull_handler
from fizzbridge.settings import Connection
from platforms.{slug}.webhook import {cls}Webhook


class {cls}Pull(PullAdapter):
    """What can be read, and what an answer means beyond the common rules."""

    platform = "{slug}"
    clock = Timestamp("second")
    errors = ErrorRules()

    def auth(self, secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
        """A bearer token."""
        del connection
        return Bearer(secret["access_token"])


handler = pull_handler({cls}Pull(), {cls}Webhook())
''',
    "target.py": '''\
"""Writing to {name}: name the page, its version, the day it was read, and the quirks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

import httpx

from fizzbridge.http.auth import Bearer
from fizzbridge.http.classify import ErrorRules
from fizzbridge.model.entity import Kind
from fizzbridge.runtime.target import TargetAdapter, TargetEntity
from fizzbridge.runtime.worker import target_handler
from fizzbridge.settings import Connection


class {cls}Target(TargetAdapter):
    """The kinds it can hold, each with desired, find, create, update and cancel."""

    platform: ClassVar[str] = "{slug}"
    errors: ClassVar[ErrorRules] = ErrorRules()
    entities: ClassVar[Mapping[Kind, TargetEntity]] = {{}}
    search_lag: ClassVar[timedelta] = timedelta(0)
    longest_transaction: ClassVar[timedelta] = timedelta(seconds=120)

    def auth(self, secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
        """A bearer token."""
        del connection
        return Bearer(secret["access_token"])


handler = target_handler({cls}Target())
''',
    "sandbox.py": '''\
"""A strict stand-in for {name}'s API, written from its documentation and apart from the adapter.

``make(seed)`` returns an object whose ``app`` is the ASGI application, with the shared kit of
``sandbox``: scripted faults, counts of accepted writes, signed deliveries. It imports nothing of
ours, and it is never deployed.
"""
''',
    "README.md": """\
# {name}

What it is a source of and a target for, over which API, tried against what.
""",
}


def make(slug: str, root: Path = ROOT) -> list[Path]:
    """Write the files of a new platform.

    Returns:
        What was written.

    Raises:
        ValueError: the name is no slug, or the platform exists.
    """
    if not SLUG.fullmatch(slug):
        msg = f"'{slug}': a platform is named in lower case, with digits and underscores: acme_pro"
        raise ValueError(msg)
    folder = root / "functions" / "platforms" / slug
    if folder.exists():
        msg = f"{folder.relative_to(root)} exists"
        raise ValueError(msg)
    words = slug.split("_")
    names = {
        "slug": slug,
        "name": " ".join(word.capitalize() for word in words),
        "cls": "".join(word.capitalize() for word in words),
        "header": "-".join(words),
    }
    written = {folder / name: text.format(**names) for name, text in FILES.items()}
    written[root / "events" / slug / ".gitkeep"] = ""
    for path, text in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    register(slug, root / "functions" / "registry.toml")
    return list(written)


def register(slug: str, registry: Path) -> None:
    """Add the platform's line to the registry, in the order of the alphabet."""
    lines = registry.read_text(encoding="utf-8").splitlines()
    comments = [line for line in lines if line.startswith("#")]
    entries = {line for line in lines if line and not line.startswith("#")} | {f"{slug} = true"}
    registry.write_text("\n".join([*comments, *sorted(entries)]) + "\n", encoding="utf-8")


def main() -> None:
    """Make one from the command line."""
    parser = argparse.ArgumentParser(description="Start a platform.")
    parser.add_argument("name", help="its slug, used for folder, rules and secrets: acme_pro")
    try:
        written = make(parser.parse_args().name)
    except ValueError as error:
        sys.exit(str(error))
    for path in written:
        print(path.relative_to(ROOT))
    print("functions/registry.toml\nnext: make contract lists what is missing")


if __name__ == "__main__":
    main()
