"""How the sandbox lists things: its search, which lags, and pages of connections."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from graphql import GraphQLError

from platforms.shopify.sandbox_money import Json

PAGE_LIMIT = 250
SEARCH_TERM = re.compile(
    r"(\w+):(>=|<=|>|<)?('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^\s'\"]+)"
    r"(?:\s+(?:(AND|OR)\s+)?|$)"
)
Term = tuple[str, str, str]
MOMENTS = {"updated_at", "created_at", "processed_at"}
SEARCHED: dict[str, set[str]] = {
    "orders": MOMENTS | {"name", "source_identifier", "po_number"},
    "customers": {"id", "updated_at", "email", "phone", "first_name", "last_name", "state"},
    "companies": {"id", "updated_at", "created_at", "name", "external_id"},
    "companyLocations": {"id", "updated_at", "created_at", "name", "external_id", "company_id"},
    "products": {"id", "updated_at", "created_at", "title", "status", "vendor", "handle", "sku"},
    "productVariants": {"id", "updated_at", "sku", "barcode", "title", "product_id"},
    "inventoryItems": {"id", "updated_at", "created_at", "sku"},
    "locations": {"name"},
    "catalogs": set(),
    "priceLists": set(),
}
"""What each connection can be searched by; any other word is refused here."""


def refusal(message: str, code: str, **extensions: Any) -> GraphQLError:
    """A top-level error in the vendor's shape."""
    return GraphQLError(message, extensions={"code": code} | extensions)


def denied(field: str, needed: set[str]) -> GraphQLError:
    """The answer to an app that lacks a scope; any one of these would do."""
    scope = " or ".join(f"`{one}`" for one in sorted(needed))
    return refusal(
        f"Access denied for {field} field. Required access: {scope} scope.",
        "ACCESS_DENIED",
        documentation="https://shopify.dev/api/usage/access-scopes",
        requiredAccess=f"{scope} access scope.",
    )


def zulu(moment: datetime) -> str:
    """A moment as the API writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc(stamp: str) -> str:
    """A webhook's time stamp as the API writes it."""
    return zulu(datetime.fromisoformat(stamp))


def last_seen(indexed: Sequence[tuple[datetime, str]], until: datetime) -> str | None:
    """The latest change the search knows of, as its time; None where it knows of none yet."""
    known = [updated for at, updated in indexed if at <= until]
    return utc(known[-1]) if known else None


@dataclass(frozen=True)
class Entry:
    """What the search holds of one thing, and how to show the thing."""

    id: int
    facts: Json
    node: Callable[[], Json]


def listing(name: str, entries: Iterable[Entry], args: Json, default: str = "ID") -> Json:
    """One page of a root connection: searched, sorted, cut."""
    either = search_terms(args.get("query") or "", SEARCHED[name])
    key = (args.get("sortKey") or default).lower()
    rows = []
    for one in entries:
        facts = {"id": one.id} | one.facts
        if any(all(matches(facts, *term) for term in terms) for terms in either):
            rows.append((facts[key], one.id, one))
    page = connection(rows, args)
    page["nodes"] = [entry.node() for entry in page["nodes"]]
    for edge, node in zip(page["edges"], page["nodes"], strict=True):
        edge["node"] = node
    return page


def connection(rows: Iterable[tuple[Any, int, Any]], args: Json) -> Json:
    """One page of rows (sort value, id, node), which a cursor may start after."""
    first, backwards = args.get("first"), args.get("reverse", False)
    if first is None:
        raise refusal("you must provide one of first or last", "BAD_REQUEST")
    if not 0 < first <= PAGE_LIMIT:
        message = f"first must be between 1 and {PAGE_LIMIT}, not {first}"
        raise refusal(message, "BAD_REQUEST")
    ordered = sorted(rows, key=lambda row: row[:2], reverse=backwards)
    rest = ordered
    if args.get("after"):
        last = _cursor_position(args["after"])
        rest = [row for row in ordered if (row[:2] < last if backwards else row[:2] > last)]
    page = rest[:first]
    edges = [{"cursor": _cursor(value, number), "node": node} for value, number, node in page]
    return {
        "edges": edges,
        "nodes": [edge["node"] for edge in edges],
        "page_info": {
            "has_next_page": len(rest) > len(page),
            "has_previous_page": len(ordered) > len(rest),
            "start_cursor": edges[0]["cursor"] if edges else None,
            "end_cursor": edges[-1]["cursor"] if edges else None,
        },
    }


def _cursor(value: Any, number: int) -> str:
    text = json.dumps({"last_id": number, "last_value": value})
    return base64.b64encode(text.encode()).decode()


def _cursor_position(cursor: str) -> tuple[Any, int]:
    try:
        position = json.loads(base64.b64decode(cursor, validate=True))
        return position["last_value"], position["last_id"]
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise refusal("Invalid cursor for current pagination sort.", "BAD_REQUEST") from None


def search_terms(query: str, fields: set[str]) -> list[list[Term]]:
    """Field, operator and value of each term; the lists are alternatives, which OR parts."""
    either: list[list[Term]] = [[]]
    position, text = 0, query.strip()
    while position < len(text):
        match = SEARCH_TERM.match(text, position)
        if match is None or match[1] not in fields:
            raise refusal(f"search not supported here: {text[position:]}", "BAD_REQUEST")
        either[-1].append((match[1], match[2] or "", match[3]))
        position = match.end()
        if match[4] == "OR":
            either.append([])
    return either


def matches(entry: Json, field: str, operator: str, value: str) -> bool:
    """Whether an entry of the search index fits one term."""
    quoted = value[0] in "'\""
    bare = re.sub(r"\\(.)", r"\1", value[1:-1]) if quoted else value
    have = entry[field]
    if field in MOMENTS:
        return _compared(have, operator, utc(bare))
    if isinstance(have, int):
        return bare.isdigit() and _compared(have, operator, int(bare))
    if isinstance(have, list):
        return any(matches({field: one}, field, operator, value) for one in have)
    if have is None:
        return False
    have, want = have.casefold(), bare.casefold()
    if quoted:
        return bool(have == want or have.lstrip("#") == want)
    # Without quotes the vendor compares words, so that ``PO-77`` also finds ``PO-78``.
    return bool(set(re.findall(r"\w+", have)) & set(re.findall(r"\w+", want)))


def _compared(have: Any, operator: str, want: Any) -> bool:
    results = {
        "": have == want,
        ">=": have >= want,
        "<=": have <= want,
        ">": have > want,
        "<": have < want,
    }
    return bool(results[operator])
