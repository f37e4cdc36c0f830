"""Whether the vendor's own tables of API v2.0 (properties, navigation, methods) allow a request."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx

SPEC = Path(__file__).parents[4] / "shared" / "platforms" / "specs" / "business_central"
GUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
PATH = re.compile(
    rf"/v2\.0/{GUID}/\w+/api/v2\.0/companies\({GUID}\)"
    rf"/(?P<set>\w+)(?:\((?P<id>{GUID})\)(?:/(?:Microsoft\.NAV\.(?P<act>\w+)|(?P<part>\w+)))?)?$"
)
TERM = re.compile(rf"(\w+) (eq|ne|gt|ge|lt|le) ('(?:[^']|'')*'|{GUID}|[\d.TZ:-]+|true|false)$")
SHAPES = {
    "GUID": rf"{GUID}",
    "date": r"\d{4}-\d\d-\d\d",
    "string": r".*",
}
SINGULAR = {
    "unitsOfMeasure": "unitOfMeasure",
    "companyInformation": "companyInformation",
    "itemLedgerEntries": "itemLedgerEntry",
}
WRITES = {"POST", "PATCH", "DELETE"}
FORM = {"grant_type", "client_id", "client_secret", "scope"}


@cache
def _resources() -> dict[str, Any]:
    text = (SPEC / "api_v2.0_resources.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)["resources"]
    return found


def _singular(collection: str) -> str:
    return SINGULAR.get(collection) or collection.removesuffix("s")


def validate(request: httpx.Request) -> tuple[str, str]:
    """The resource and method of a request that the tables allow.

    Raises:
        AssertionError: they do not.
    """
    if request.url.path.endswith("/oauth2/v2.0/token"):
        form = parse_qs(request.content.decode(), strict_parsing=True)
        assert set(form) == FORM, sorted(form)
        return "token", request.method
    where = PATH.match(request.url.path)
    assert where, request.url.path
    assert request.headers["authorization"].startswith("Bearer ")
    collection, part = where["set"], where["part"]
    assert collection in _resources()["company"]["navigation"], f"no collection {collection}"
    name = _singular(collection)
    if part:
        assert part in _resources()[name]["navigation"], f"{name} has no {part}"
        name = _singular(part)
    known = _resources().get(name)
    if known is None:  # an account is described nowhere
        assert request.method == "GET", name
        return name, "GET"
    if where["act"]:
        assert where["act"] in known["boundActions"], f"{name} cannot {where['act']}"
        assert request.method == "POST", where["act"]
        return name, where["act"]
    assert f"{request.method} {name}" in known["methods"], f"{name} has no {request.method}"
    if request.method in {"PATCH", "DELETE"}:
        assert where["id"], f"{request.method} of a whole collection"
        assert request.headers.get("if-match"), f"{request.method} without If-Match"
    _query(name, request.url.params, is_one=bool(where["id"]) and not part)
    if request.method in {"POST", "PATCH"}:
        assert request.headers["content-type"] == "application/json"
        _body(name, json.loads(request.content))
    return name, request.method


def _query(name: str, params: httpx.QueryParams, *, is_one: bool) -> None:
    fields = {one["name"] for one in _resources()[name]["properties"]}
    for option, value in params.items():
        if option == "$select":
            asked, allowed = value.split(","), fields
        elif option == "$expand":
            asked, allowed = value.split(","), set(_resources()[name]["navigation"])
        elif option == "$filter":
            assert not is_one, "one record is filtered"
            asked, allowed = _filtered(value), fields
        elif option == "$orderby":
            assert not is_one, "one record is sorted"
            asked, allowed = value.split(","), fields
        else:
            # The last two are the vendor's own, in the link to a next page.
            assert option in {"$top", "$skiptoken", "aid"}, option
            continue
        assert set(asked) <= allowed, f"{name} has no {set(asked) - allowed}"


def _filtered(text: str) -> list[str]:
    """The fields of a filter."""
    found: list[str] = []
    for either in text.split(" and "):
        is_inner = either.startswith("(") and either.endswith(")")
        terms = [TERM.match(term) for term in either[is_inner : -is_inner or None].split(" or ")]
        assert all(terms), text
        fields = {term[1] for term in terms if term}
        # The vendor takes "or" on one field only.
        assert len(fields) == 1, text
        found += fields
    return found


def _body(name: str, body: dict[str, Any]) -> None:
    properties = {one["name"]: one for one in _resources()[name]["properties"]}
    assert body, f"{name}: nothing to write"
    for field, value in body.items():
        if field in _resources()[name]["navigation"]:
            for one in value:
                _body(_singular(field), one)
            continue
        assert field in properties, f"{name} has no property {field}"
        kind, note = properties[field]["type"], properties[field]["note"]
        is_fixed = "Read-Only" in note or "Non-editable" in note
        assert not is_fixed, f"{name}.{field} is not to be written"
        if kind in {"decimal", "integer"}:
            assert isinstance(value, int | float), f"{name}.{field} is no number"
            assert not isinstance(value, bool), f"{name}.{field} is no number"
        else:
            assert isinstance(value, str), f"{name}.{field} is no text"
            assert re.fullmatch(SHAPES.get(kind, r".*"), value), f"{name}.{field}: {kind}"
