"""What a post may look like: the scheme's headers, and the schemas that are published."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import httpx
import jsonschema

from fizzbridge.model.entity import EntityRef, Kind

SCHEMAS = Path(__file__).parents[3] / "events" / "schemas"
FORMATS = jsonschema.Draft202012Validator.FORMAT_CHECKER


def validate(request: httpx.Request) -> tuple[str, str]:
    """What a post is about and what it says happened.

    Raises:
        AssertionError, jsonschema.ValidationError: it is not as it should be.
    """
    assert (request.method, request.url.path) == ("POST", "/fizzbridge")
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-id"].startswith("msg_")
    assert request.headers["webhook-timestamp"].isdigit()
    assert request.headers["webhook-signature"].startswith("v1,")
    body = json.loads(request.content)
    assert set(body) == {"type", "timestamp", "data"}
    assert datetime.fromisoformat(body["timestamp"]).tzinfo
    data = body["data"]
    told = {"kind", "key", "revision", "record", "processing", "assessment"}
    assert {"kind", "key", "revision", "record"} <= set(data) <= told
    kind = EntityRef(kind=data["kind"], key=data["key"]).kind
    is_order = kind is Kind.ORDER
    shown = {
        f"records/{'OrderRequest' if is_order else kind}": data["record"],
        "records/OrderProcessing": data.get("processing"),
        f"parts/{'Order' if is_order else 'Record'}Assessment": data.get("assessment"),
    }
    for name, value in shown.items():
        if value is not None:
            schema = json.loads((SCHEMAS / f"{name}.v1.json").read_text(encoding="utf-8"))
            jsonschema.validate(value, schema, format_checker=FORMATS)
    return kind, body["type"]
