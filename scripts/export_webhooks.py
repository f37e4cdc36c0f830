"""Write ``events/webhooks.openapi.json``: what the webhook functions serve, a path for each source.

It is made of the manifests, the adapters and the deliveries in ``events``, which show headers and
media types. ``--check`` writes nothing and fails where it is stale.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fizzbridge.manifest import Manifest, load_registry
from fizzbridge.webhook.adapter import Reply, WebhookAdapter
from scripts.generated import ROOT, write_or_check

FILE = ROOT / "events" / "webhooks.openapi.json"
ABOUT = """\
What vendors may send to a bridge, and what they get. The name of a connection stands in the path \
where that of its platform stands here. An answer's status is all there is to it: bodies are empty.\
"""
ANSWERS = {
    "200": "Kept, or none of ours.",
    "401": "Not proven to be the vendor's.",
    "413": "Longer than `limits.delivery_bytes`; the poll brings what it said.",
    "503": "Nothing could be written: send it again.",
}
_OBVIOUS = {"content-type", "user-agent"}


def description() -> dict[str, Any]:
    """The whole description, OpenAPI 3.1."""
    paths: dict[str, Any] = {}
    schemes: dict[str, list[str]] = {}
    for slug, manifest in sorted(load_registry(ROOT).items()):
        if manifest.functions.webhook:
            webhook = adapter(slug)
            paths[path_of(slug, manifest)] = {"post": _operation(slug, manifest, webhook)}
            for name in webhook.signature.headers:
                schemes.setdefault(name, []).append(webhook.signature.scheme)
    return {
        "openapi": "3.1.0",
        "info": {"title": "fizzbridge webhooks", "version": "1", "description": ABOUT},
        "paths": paths,
        "components": {"securitySchemes": {name: _proof(name, schemes[name]) for name in schemes}},
    }


def adapter(slug: str) -> WebhookAdapter:
    """The webhook adapter of a platform."""
    made = importlib.import_module(f"platforms.{slug}.webhook").handler.adapter
    assert isinstance(made, WebhookAdapter)  # noqa: S101  what every webhook.py makes
    return made


def path_of(slug: str, manifest: Manifest) -> str:
    """The route, as ``SourceConnection`` makes it."""
    return f"/webhooks/{slug}" + ("/{token}" if manifest.webhook.path_token else "")


def _operation(slug: str, manifest: Manifest, webhook: WebhookAdapter) -> dict[str, Any]:
    seen = list(_headers(slug))
    proofs = webhook.signature.headers
    told = sorted({name for one in seen for name in one} - {*proofs, *_OBVIOUS})
    media = sorted({one["content-type"].partition(";")[0] for one in seen if "content-type" in one})
    token = {"name": "token", "in": "path", "required": True, "schema": {"type": "string"}}
    token |= {"description": webhook.signature.scheme}
    return {
        "operationId": slug,
        "summary": f"Deliveries of {manifest.name}.",
        "security": [{name: []} for name in proofs],
        "parameters": [
            *([token] if manifest.webhook.path_token else []),
            *({"name": name, "in": "header", "schema": {"type": "string"}} for name in told),
        ],
        "requestBody": {
            "required": True,
            "content": {one: {"schema": {"type": _shape(slug)}} for one in media},
        },
        "responses": {status: {"description": text} for status, text in ANSWERS.items()}
        | _handshake(webhook),
    }


def _shape(slug: str) -> str | list[str]:
    """What bodies are: objects, unless a vendor sends arrays as well."""
    files = (ROOT / "events" / slug).glob("*__*.json")
    bodies = (json.loads(file.read_text(encoding="utf-8"))["body"] for file in files)
    has_arrays = any(body.startswith("[") for body in bodies)
    return ["array", "object"] if has_arrays else "object"


def _headers(slug: str) -> Iterator[Mapping[str, str]]:
    for file in sorted((ROOT / "events" / slug).glob("*__*.json")):
        shown = json.loads(file.read_text(encoding="utf-8"))["headers"]
        yield {name.lower(): value for name, value in shown.items()}


def _proof(name: str, schemes: Iterable[str]) -> dict[str, str]:
    """A header that proves; several platforms may use it, each in its way."""
    return {
        "type": "apiKey",
        "in": "header",
        "name": name,
        "description": "; ".join(sorted(set(schemes))),
    }


def _handshake(webhook: WebhookAdapter) -> dict[str, Any]:
    """What one gets who only asks whether somebody listens; such a question is not signed."""
    if type(webhook).handshake is WebhookAdapter.handshake:
        return {}
    usual = Reply()
    text = f"{ANSWERS['200']} Unsigned, the answer to a question of the vendor's."
    content = {usual.media: {"schema": {"type": "string"}}}
    return {str(usual.status): {"description": text, "content": content}}


def files() -> dict[Path, str]:
    """The file as it should be."""
    return {FILE: json.dumps(description(), indent=2) + "\n"}


if __name__ == "__main__":
    write_or_check(files(), __doc__ or "")
