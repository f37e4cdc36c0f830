"""What people ask of a target's function: a plan, a check, what it calls our items.

The command line has no vendor's credentials. It leaves a message in the connection's queue, and
finds the answer in the connection's rows a moment later.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from fizzbridge.errors import FizzbridgeError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.catalogue import CatalogueItem
from fizzbridge.model.entity import EntityRef, Kind
from fizzbridge.observability import log
from fizzbridge.runtime import rows
from fizzbridge.runtime.converge import Converge
from fizzbridge.runtime.maps import IdMaps
from fizzbridge.runtime.planning import Field, Plan
from fizzbridge.runtime.target import Finding, ItemThere, Situation, TargetAdapter
from fizzbridge.settings import Connection
from fizzbridge.state.table import Row, Table, Write
from fizzbridge.trade.offering import ShopNames
from fizzbridge.trade.packs import near

ANSWER_LIFE = timedelta(minutes=15)
HIDDEN = "…"
"""In place of a text that may be a person's: an answer lies in a row."""

Reach = Callable[[str], AbstractContextManager[VendorClient]]
"""Reserves calls for a holder, and gives the client to make them with."""


def read_answer(row: Row) -> dict[str, Any]:
    """What an answer's row says."""
    packed = row["answer"]
    found: dict[str, Any] = json.loads(zlib.decompress(packed)) if isinstance(packed, bytes) else {}
    return found


def answer_sk(asked: str) -> str:
    """Sort key of an answer."""
    return f"ASKED#{asked}"


class Desk:
    """Answers what is asked of one target connection."""

    def __init__(
        self,
        adapter: TargetAdapter,
        connection: Connection,
        converge: Converge,
        reach: Reach,
        table: Table,
        items: Callable[[], Iterable[CatalogueItem]],
        now: Callable[[], datetime],
    ) -> None:
        self._adapter = adapter
        self._connection = connection
        self._converge = converge
        self._reach = reach
        self._table = table
        self._items = items
        self._now = now

    def answer(self, body: Mapping[str, Any], holder: str) -> None:
        """Answer one message; what goes wrong is an answer, too."""
        try:
            said = self._answer(body, holder)
        except FizzbridgeError as error:
            said = {"error": error.message, "code": error.code, "blame": error.blame}
        except Exception as error:  # noqa: BLE001  asked again it would only break again
            log.exception("a question was not answered")
            said = {"error": f"unexpected {type(error).__name__}", "code": "internal"}
        self._table.write(
            Write(
                rows.connection_pk(self._connection.name),
                answer_sk(body["asked"]),
                set={
                    "answer": zlib.compress(json.dumps(said).encode()),
                    "expires_at": int((self._now() + ANSWER_LIFE).timestamp()),
                },
                replace=True,
            )
        )

    def _answer(self, body: Mapping[str, Any], holder: str) -> dict[str, Any]:
        match body["type"]:
            case "plan":
                return _plan(self._converge.plan(EntityRef.parse(body["entity"]), holder))
            case "check":
                return {"findings": [asdict(one) for one in self._check(holder)]}
            case "suggest":
                with self._reach(holder) as vendor:
                    there = list(self._adapter.items(self._client(vendor), self._connection))
                return {"suggestions": list(self._suggestions(there))}
        return {"error": f"no such question: {body['type']}"}

    def _client(self, vendor: VendorClient) -> VendorClient:
        return self._adapter.client(vendor, self._connection)

    def _check(self, holder: str) -> Iterator[Finding]:
        maps = IdMaps(self._table, self._connection.name)
        situation = Situation(self._connection, maps)
        try:
            with self._reach(holder) as vendor:
                client = self._client(vendor)
                findings = list(self._adapter.check(client, situation))
                there = list(self._adapter.items(client, self._connection))
        except FizzbridgeError as error:
            yield Finding("connection", is_good=False, message=error.message)
            return
        yield Finding("connection", is_good=True, message="the credentials work")
        yield from findings
        yield from self._unknown(there, maps)

    def _unknown(self, there: Iterable[ItemThere], maps: IdMaps) -> Iterator[Finding]:
        """Items of ours the target does not have, and items chosen for freight and the like."""
        codes = {one.code for one in there}
        for sku in self._skus():
            names = self._names(maps, sku)
            if codes.isdisjoint(names):
                row = f"{sku} <its code>" if self._is_booked else f"<its code> {sku}"
                message = (
                    f"there is no item {' or '.join(names) or sku}; make it, or: fizzbridge map "
                    f"set {self._connection.name} sku {row}"
                )
                yield Finding(f"sku {sku}", is_good=False, message=message)
        for setting, value in sorted(self._connection.settings.items()):
            if setting.endswith("_sku") and value not in codes:
                message = f"there is no item {value}; make it, or choose another"
                yield Finding(f"setting {setting}", is_good=False, message=message)

    @property
    def _is_booked(self) -> bool:
        """Whether its map says what ours is called there; a shop's says what its own is with us."""
        return {Kind.ORDER, Kind.CUSTOMER} <= {*self._adapter.entities}

    def _names(self, maps: IdMaps, sku: str) -> tuple[str, ...]:
        """What one of our items is called at the target."""
        if self._is_booked:
            return (maps.get("sku", sku) or sku,)
        return ShopNames(maps.listed("sku"), {}, {}).codes(sku)

    def _skus(self) -> list[str]:
        return list(dict.fromkeys(item.sku for item in self._items()))

    def _suggestions(self, there: list[ItemThere]) -> Iterator[dict[str, str]]:
        """Items that are there under another code: of the same barcode, or of nearly the same code.

        A suggestion is for people: nothing is exported by it.
        """
        maps = IdMaps(self._table, self._connection.name)
        codes = {one.code for one in there}
        by_gtin = {one.gtin.zfill(14): one for one in there if one.gtin}
        by_code = {near(one.code): one for one in there}
        for item in self._items():
            if item.sku in codes or self._names(maps, item.sku) != (item.sku,):
                continue
            same = by_gtin.get(item.gtin.zfill(14)) if item.gtin else None
            found = same or by_code.get(near(item.sku))
            if found:
                why = f"the same barcode {item.gtin}" if same else "nearly the same code"
                yield {"sku": item.sku, "code": found.code, "name": found.name, "why": why}


def _plan(plan: Plan) -> dict[str, Any]:
    return {
        "does": plan.does,
        "why": plan.why,
        "is_whole": plan.is_whole,
        "steps": [
            {"call": step.call, "fields": [_field(one) for one in step.fields]}
            for step in plan.steps
        ],
    }


_OPEN = re.compile(
    r"(sku|item|product|code|quantity|qty|unit|uom|price|amount|amt|rate|tax|total|discount|currency|"
    r"date|status|state|type|reference|origin|account|terms|line|location|warehouse|sequence|order|"
    r"document|invoice|number|id|ref|value|isclosed|confirm)",
    re.IGNORECASE,
)
_PERSONS = re.compile(
    r"(phone|mail|name|addr|street|city|post|zip|contact|memo|note|comment|descr|vat|tax_?reg|"
    r"person|attention|freeform|lastname|firstname)",
    re.IGNORECASE,
)
"""What a field is called decides: an answer lies in a row, and rows hold nothing of people."""


def _field(field: Field) -> dict[str, str | None]:
    is_open = not _PERSONS.search(field.name) and _OPEN.search(field.name.rpartition(".")[2])
    was, becomes = (
        text
        if not text or (_NUMBER.fullmatch(text) and not _PERSONS.search(field.name)) or is_open
        else HIDDEN
        for text in (field.was, field.becomes)
    )
    return {"name": field.name, "was": was, "becomes": becomes}


_NUMBER = re.compile(r"-?\d+(\.\d+)?|yes|no|-")
