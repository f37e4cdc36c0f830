"""Who asks, for which shop, and whether the key may."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from platforms.prestashop.sandbox_fields import ALL, RESOURCES, Resource, Row
from platforms.prestashop.sandbox_tables import Json, Tables
from platforms.prestashop.sandbox_wire import Asked, VendorError

KEY_LENGTH = 32
FORMATS = {"JSON": True, "XML": False}


@dataclass(frozen=True)
class Caller:
    """A key at work: what it may do, and the shops it looks at."""

    rights: Mapping[str, set[str]]
    shops: frozenset[str]

    def check(self, resource: Resource, method: str) -> None:
        """Refuse what the key may not do."""
        if method not in self.rights.get(resource.plural, set()):
            told = f"Method {method} is not allowed for the resource {resource.plural}"
            raise VendorError(405, (101, f"{told} with this authentication key"))

    def sees(self, row: Row) -> bool:
        """Whether the row is of its shops; what names no shop is everybody's."""
        return row.get("id_shop", "0") in ("", "0") or row["id_shop"] in self.shops


class Gate:
    """The keys of the shop.

    Args:
        keys: each with ``key``, and perhaps ``rights``, ``active`` and ``id_shop``.
        tables: the shop's rows.
    """

    def __init__(self, keys: Sequence[Json], tables: Tables) -> None:
        self.keys = keys
        self.tables = tables

    def enter(self, request: Request) -> Caller:
        """Who asks.

        Raises:
            VendorError: nobody, or somebody unknown.
        """
        given = _shown(request)
        if given is None:
            raise VendorError(401, plain="401 Unauthorized")
        if len(given) != KEY_LENGTH:
            raise VendorError(401, (18, "Invalid authentication key format"))
        found = next((one for one in self.keys if one["key"] == given), None)
        if found is None or not found.get("active", True):
            raise VendorError(
                401,
                (20, "Authentification key is not active"),
                (21, "No permission for this authentication key"),
            )
        return Caller(_rights(found.get("rights")), self._shops(request, found))

    def _shops(self, request: Request, key: Json) -> frozenset[str]:
        """By the address, else the key's own; an unknown shop is an error."""
        shops = self.tables.rows["shops"]
        query = request.query_params
        if "id_group_shop" in query:
            group = query["id_group_shop"]
            found = {str(one["id"]) for one in shops.values() if one["id_shop_group"] == group}
        else:
            number = query.get("id_shop", str(key.get("id_shop", next(iter(shops)))))
            found = {number} & {str(one) for one in shops}
        if not found:
            raise VendorError(404, (999, "This shop id does not exist."))
        return frozenset(found)


def asked(request: Request) -> Asked:
    """What the client wants back; ``Accept`` means nothing here."""
    query, headers = request.query_params, request.headers
    wanted = [query.get("output_format"), query.get("io_format")]
    wanted += [headers.get("output-format"), headers.get("io-format")]
    form = next((one for one in wanted if one), "XML").upper()
    return Asked(FORMATS.get(form, False), headers.get("local-content-sha1", ""))


def _shown(request: Request) -> str | None:
    """The key, as the user of Basic authentication without a password, or in the address."""
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            key, colon, password = base64.b64decode(text, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return key if key and colon and not password else None
    return request.query_params.get("ws_key") or None


def _rights(given: Any) -> dict[str, set[str]]:
    """All that there is where nothing is said; else methods by resource."""
    if given is None:
        return {plural: set(one.methods) for plural, one in RESOURCES.items()}
    return {plural: set(methods or ALL.split()) for plural, methods in given.items()}
