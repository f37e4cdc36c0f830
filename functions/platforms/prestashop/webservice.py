"""The webservice as lists of rows.

Everything is asked for as a list: what is not there is an empty one, and what belongs to many
orders is read for all of them in one call.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from xml.etree import ElementTree as ET

from fizzbridge.errors import TargetUnavailableError
from fizzbridge.http.client import VendorClient
from fizzbridge.settings import Connection

Row = dict[str, Any]
Kept = dict[tuple[str, str], dict[str, Row]]
"""Rows that hardly change, by connection and resource, then by id."""

_MOST_KEPT = 10_000
_ROOT = re.compile(r"<prestashop[\s>].*</prestashop>", re.DOTALL)
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_SHOPS = ("id_shop", "id_group_shop")


class Webservice:
    """One connection's lists, each read once where the connection's process keeps it."""

    def __init__(self, vendor: VendorClient, connection: Connection, kept: Kept) -> None:
        self._vendor = vendor
        self._connection = connection
        self._kept = kept

    def rows(self, resource: str, display: str = "full", **params: str) -> list[Row]:
        """Rows of a resource."""
        settings = self._connection.settings
        shop = {name: settings[name] for name in _SHOPS if name in settings}
        answer = self._vendor.get(f"/api/{resource}", params=shop | {"display": display} | params)
        return read(answer.text)

    def of(
        self, resource: str, field: str, values: Iterable[str], display: str = "full"
    ) -> dict[str, list[Row]]:
        """Rows of which a field has one of the values, by that value."""
        wanted = sorted({one for one in values if one not in {"", "0"}})
        found: dict[str, list[Row]] = {}
        if wanted:
            named = {f"filter[{field}]": f"[{'|'.join(wanted)}]"}
            for row in self.rows(resource, display, **named):
                found.setdefault(row[field], []).append(row)
        return found

    def kept(
        self, resource: str, values: Iterable[str], display: str = "full", field: str = "id"
    ) -> Mapping[str, Row]:
        """Rows of a resource that hardly changes; those known already are not read again."""
        known = self._kept.setdefault((self._connection.name, resource), {})
        if len(known) > _MOST_KEPT:
            known.clear()
        found = self.of(resource, field, set(values) - known.keys(), display)
        known.update({key: rows[-1] for key, rows in found.items()})
        return known


def read(text: str) -> list[Row]:
    """The rows of an answer.

    What stands before and after the root is cut off: warnings of PHP, and with them the only place
    where XML may declare types and entities.

    Raises:
        TargetUnavailableError: it is no answer, but a page of the host or half of one.
    """
    found = _ROOT.search(text)
    try:
        root = ET.fromstring(_NOT_IN_XML.sub("", found[0])) if found else None  # noqa: S314  see above
    except ET.ParseError:
        root = None
    if root is None:
        raise TargetUnavailableError("the answer is not XML, or not whole", platform="prestashop")
    return [_row(one) for listed in root for one in listed]


def _row(node: ET.Element) -> Row:
    row: Row = {}
    for child in node:
        if child.tag == "associations":
            row |= {listed.tag: [_row(one) for one in listed] for listed in child}
        else:
            # Of a text in several languages the first will do. Shops pad what they say.
            texts = (part.strip() for part in child.itertext())
            row[child.tag] = next((one for one in texts if one), "")
    return row
