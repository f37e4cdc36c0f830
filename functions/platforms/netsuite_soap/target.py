"""NetSuite by SuiteTalk SOAP as a target: orders and customers.

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/chapter_N3412777.html, endpoint
2025.2, read in November 2026. What decides the shape of this adapter:

- It is for accounts that run it already: NetSuite removes SOAP with 2028.2. The manifest says when.
- An external id is unique per type of record, so an upsert under it makes one record however often
  it is sent. NetSuite finishes what it received, also for a client that hung up: a late one would
  write old data over new, so nobody concludes "not there" before the longest call has ended.
- It says no in a 200: ``transport.ERRORS`` reads the status of the record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar

import httpx

from fizzbridge.errors import NotThereError, TargetRejectedError
from fizzbridge.http.classify import ErrorRules
from fizzbridge.http.client import VendorClient
from fizzbridge.model.entity import Kind
from fizzbridge.runtime.target import (
    Finding,
    ItemThere,
    Situation,
    TargetAdapter,
    TargetEntity,
)
from fizzbridge.runtime.worker import target_handler
from fizzbridge.settings import Connection
from platforms.netsuite_soap import lookup
from platforms.netsuite_soap.customers import KEYS as CUSTOMER_KEYS
from platforms.netsuite_soap.customers import Customers
from platforms.netsuite_soap.orders import KEYS as ORDER_KEYS
from platforms.netsuite_soap.orders import Orders
from platforms.netsuite_soap.transport import ERRORS, SuiteTalk, authorised, get

PLACES = {
    "location": "location",
    "subsidiary": "subsidiary",
    "department": "department",
    "class": "classification",
}
"""Settings that hold an id, and the type of record it is of."""


class NetSuiteSoapTarget(TargetAdapter):
    """SuiteTalk SOAP, signed per request by token-based authentication."""

    platform: ClassVar[str] = "netsuite_soap"
    errors: ClassVar[ErrorRules] = ERRORS
    entities: ClassVar[Mapping[Kind, TargetEntity]] = {
        Kind.ORDER: Orders(),
        Kind.CUSTOMER: Customers(),
    }
    # A record is read by its external id, not searched; searches by a custom field may lag.
    search_lag: ClassVar[timedelta] = timedelta(minutes=2)
    # A request is cut after fifteen minutes.
    longest_transaction: ClassVar[timedelta] = timedelta(minutes=15)

    def auth(self, secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
        """A token passport per request."""
        return authorised(secret, connection)

    def client(self, vendor: VendorClient, connection: Connection) -> VendorClient:
        """With the connection's settings, and a memory for lookups."""
        return SuiteTalk(vendor, connection.settings)

    def check(self, vendor: VendorClient, situation: Situation) -> Iterable[Finding]:
        """Currencies, tax codes, places and key fields, each as far as the role may see it."""
        settings = situation.connection.settings
        for what, found in (
            ("currencies", sorted(lookup.currencies(vendor))),
            ("units types", lookup.units_types(vendor)),
        ):
            message = ", ".join(found) or "the role sees none; give it the permission"
            yield Finding(what, is_good=bool(found), message=message)
        yield from _tax_findings(vendor, situation)
        for name, sort in PLACES.items():
            if name in settings:
                read = partial(get, vendor, sort, internalId=str(settings[name]))
                yield _looked(f"setting {name}", read)
        for keys in (ORDER_KEYS, CUSTOMER_KEYS):
            field = settings.get(keys.setting)
            look = partial(keys.find, vendor, "fizzbridge/check")
            yield _looked(f"field {field}" if field else f"external id of {keys.sort}", look)

    def items(self, vendor: VendorClient, connection: Connection) -> Iterable[ItemThere]:  # noqa: ARG002  all of the account's
        """Every item in use, under its external id and under its name."""
        for item in lookup.all_items(vendor):
            codes = dict.fromkeys(filter(None, (item.external_id, item.item_id)))
            for code in codes:
                yield ItemThere(code, item.upc_code, item.display_name)


def _looked(what: str, look: Callable[[], object]) -> Finding:
    try:
        look()
    except NotThereError:
        return Finding(what, is_good=False, message="NetSuite has none of this id; set another")
    except TargetRejectedError as error:
        return Finding(what, is_good=False, message=error.message)
    return Finding(what, is_good=True, message="the role may read it")


def _tax_findings(vendor: VendorClient, situation: Situation) -> Iterator[Finding]:
    by_rate: dict[str, list[str]] = {}
    for tax in lookup.tax_codes(vendor):
        by_rate.setdefault(f"{tax.fraction.normalize():f}", []).append(tax.item_id)
    if not by_rate:
        yield Finding(
            "tax", is_good=False, message="the role sees no tax codes; give it the permission"
        )
    for rate, names in sorted(by_rate.items()):
        mapped = situation.code("tax", rate).name
        message = mapped or ", ".join(names)
        if len(names) > 1 and not mapped:
            message = f"several codes have this rate; map tax {rate} to one of {message}"
        yield Finding(f"tax {rate}", is_good=len(names) == 1 or bool(mapped), message=message)


handler = target_handler(NetSuiteSoapTarget())
