"""What B2B Edition keeps beside the sandbox store: companies, their buyers, their orders."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from platforms.bigcommerce.sandbox_catalogue import Notify
from platforms.bigcommerce.sandbox_orders import Order
from platforms.bigcommerce.sandbox_shapes import (
    STATUSES,
    GoneError,
    Json,
    RefusedError,
    known,
    moment,
    plain,
    whole,
)

PENDING, APPROVED, REJECTED, INACTIVE = range(4)
NAMES = {"name": "companyName", "email": "companyEmail", "phone": "companyPhone", "uuid": "uuid"}
LENGTHS = {"name": 200, "email": 200, "phone": 50, "uuid": 36}
COMPANY = {*NAMES, "extra_fields", "status", "group_id", "parent"}
EXTRA = {"fieldName", "fieldValue"}


class Companies:
    """The companies of one store.

    Args:
        seed: what the store is like: ``b2b``, ``b2b_required_fields``.
        clock: gives the time.
        notify: sends one webhook: scope, subject, data.
    """

    def __init__(self, seed: Json, clock: Callable[[], datetime], notify: Notify) -> None:
        self.seed = seed
        self.clock = clock
        self._notify = notify
        self._ids = itertools.count(1)
        self.rows: dict[int, Json] = {}
        self.orders: dict[int, Json] = {}
        self._of: dict[int, int] = {}

    # -- what staff does ---------------------------------------------------------------------------

    def add(self, given: Json) -> Json:
        """Open a company account."""
        if not self.seed["b2b"]:
            raise RefusedError("The store's plan has no B2B Edition.")
        self._check(given)
        if not given.get("name"):
            raise RefusedError("The company name is required.", "name")
        number, now = next(self._ids), int(self.clock().timestamp())
        made: Json = {"companyId": str(number)}
        made |= {name: given.get(key) or "" for key, name in NAMES.items()}
        made |= {"companyStatus": str(given.get("status", APPROVED)), "catalogId": ""}
        made |= {"catalogName": "", "priceListAssign": [], "parentCompany": {}, "extraFields": []}
        made |= {"createdAt": now}
        self.rows[number] = made
        self._group(made, given.get("group_id", number))
        self._write(made, given)
        self._tell("created", number)
        return shown(made)

    def change(self, company_id: int, changes: Json) -> Json:
        """Change a company, or move it to another status: 0 pending, 1 approved, 2, 3."""
        self._check(changes)
        company = self.rows[self.number(company_id)]
        company |= {NAMES[name]: one for name, one in changes.items() if name in NAMES}
        if "group_id" in changes:
            self._group(company, changes["group_id"])
        self._write(company, changes)
        status = str(changes.get("status", company["companyStatus"]))
        if status != company["companyStatus"]:
            company["companyStatus"] = status
            self._tell("statusUpdated", company_id)
        self._tell("updated", company_id)
        return shown(company)

    def delete(self, company_id: int) -> Json:
        """Take a company out of B2B Edition; its customers stay."""
        company = self.rows.pop(self.number(company_id))
        self._of = {who: which for who, which in self._of.items() if which != company_id}
        self._tell("deleted", company_id)
        return shown(company)

    def number(self, company_id: Any) -> int:
        """The number of a company that is there."""
        if company_id not in self.rows:
            raise GoneError("This resource is not found.")
        return int(company_id)

    # -- who buys for it ---------------------------------------------------------------------------

    def join(self, company_id: int, customer_id: int) -> Json:
        """Let a customer buy for a company."""
        self._of[customer_id] = self.number(company_id)
        return shown(self.rows[company_id])

    def leave(self, customer_id: int) -> None:
        """The customer is gone."""
        self._of.pop(customer_id, None)

    def of(self, customer_id: int) -> int | None:
        """The number of the company a customer buys for."""
        return self._of.get(customer_id)

    def join_by_name(self, customer: Json) -> None:
        """Who names a company at the till is taken into it, and a new one is opened."""
        if not self.seed["b2b"] or not customer["company"]:
            return
        company_id = self.named(customer["company"])
        if company_id is None:
            given = {"name": customer["company"], "email": customer["email"]}
            company_id = int(self.add(given | {"phone": customer["phone"]})["companyId"])
        self.join(company_id, customer["id"])

    def named(self, name: str) -> int | None:
        """The number of the company of that name."""
        same = (key for key, one in self.rows.items() if one["companyName"] == name)
        return next(same, None)

    # -- its orders --------------------------------------------------------------------------------

    def buying(self, draft: Json, customer_id: int) -> int | None:
        """The company an order is for: what the draft says, or the buyer's own."""
        meant = draft.get("company")
        if meant is None:
            return self.of(customer_id)
        found = self.named(meant) if isinstance(meant, str) else meant
        if isinstance(found, bool) or found not in self.rows:
            raise RefusedError(f"no company {meant}", "company")
        return int(found)

    def link(self, head: Json, company_id: int | None, po_number: Any = None) -> None:
        """Enter an order, where a company is known for it."""
        if company_id is not None and head["id"] not in self.orders:
            made: Json = {"poNumber": str(po_number or ""), "companyId": company_id}
            made |= {"extraFields": [], "updatedAt": int(self.clock().timestamp())}
            self.orders[head["id"]] = made

    def order(self, order: Order) -> Json:
        """An order as B2B Edition shows it alone: only those of companies."""
        if order.id not in self.orders:
            raise GoneError("Order Does Not Exist.")
        return self.listed(order) | {
            "isInvoiceOrder": 0,
            "invoiceId": None,
            "invoiceNumber": None,
            "invoiceStatus": None,
            "extraFields": copy.deepcopy(self.orders[order.id]["extraFields"]),
        }

    def listed(self, order: Order) -> Json:
        """An order as it stands in the list, which has those of private buyers too."""
        kept = self.orders.get(order.id, {})
        head = order.head
        total = plain(Decimal(head["total_inc_tax"]))
        look: Json = {"currencyLocation": "left", "currencyToken": "£", "decimalToken": "."}
        look |= {"decimalPlaces": 2, "thousandsToken": ","}
        changed = int(moment(head["date_modified"]).timestamp())
        return {
            "id": 12000 + order.id,
            "bcOrderId": order.id,
            "totalIncTax": total,
            "poNumber": kept.get("poNumber", ""),
            "status": STATUSES[head["status_id"]],
            "customStatus": head["custom_status"],
            "cartId": head["cart_id"],
            "items": head["items_total"],
            "usdIncTax": total,
            "companyId": kept.get("companyId", 0),
            "currencyCode": head["default_currency_code"],
            "money": [look],
            "statusCode": head["status_id"],
            "isArchived": head["is_deleted"],
            "channelId": head["channel_id"],
            "channelName": "Storefront",
            "createdAt": int(moment(head["date_created"]).timestamp()),
            "updatedAt": max(changed, kept.get("updatedAt", 0)),
        }

    def more_of(self, order_id: int) -> Json:
        """What ``showExtra`` adds to a row of the list."""
        old = (f"extra{kind}{place}" for kind in ("Int", "Str") for place in range(1, 6))
        fields = self.orders.get(order_id, {}).get("extraFields", [])
        found: Json = dict.fromkeys((*old, "extraText"))
        return found | {"extraInfo": [], "extraFields": copy.deepcopy(fields)}

    def write_order(self, order: Order, changes: Any) -> Json:
        """Set the buyer's number and the fields the merchant made for orders."""
        known(changes, {"poNumber", "extraFields"}, "order")
        self.order(order)
        if not changes:
            raise RefusedError("poNumber or extraFields is needed")
        rows = changes.get("extraFields", [])
        _check_extra(rows)
        have = {one["fieldName"] for one in rows}
        for name in self.seed["b2b_required_fields"]:
            if name not in have:
                raise RefusedError(f"{name} is a required extra field")
        self.orders[order.id] |= changes | {"updatedAt": int(self.clock().timestamp())}
        return self.order(order)

    # -- how it is kept ----------------------------------------------------------------------------

    def _check(self, given: Any) -> None:
        known(given, COMPANY, "company")
        for name, most in LENGTHS.items():
            if not isinstance(given.get(name) or "", str) or len(given.get(name) or "") > most:
                raise RefusedError(f"{name} is invalid", name)
        whole(given.get("status", APPROVED), "status", PENDING, INACTIVE)
        _check_extra(given.get("extra_fields", []))
        if given.get("parent") is not None:
            self.number(given["parent"])

    def _write(self, company: Json, given: Json) -> None:
        company["updatedAt"] = int(self.clock().timestamp())
        if "parent" in given:
            above = given["parent"]
            named = {"id": above, "name": self.rows[above]["companyName"]} if above else {}
            company["parentCompany"] = named
        if "extra_fields" in given:
            form = {"isRequired": "0", "dataType": "0", "fieldType": 0}
            company["extraFields"] = [
                one | {"labelName": one["fieldName"]} | form for one in given["extra_fields"]
            ]

    def _group(self, company: Json, group_id: Any) -> None:
        number = whole(group_id, "group_id")
        company |= {"bcGroupId": number, "bcGroupName": company["companyName"] if number else ""}

    def _tell(self, event: str, number: int) -> None:
        self._notify(f"store/company/{event}", str(number), {"company_id": number})


def shown(company: Json, *, is_listed: bool = False) -> Json:
    """A company over REST: its times are texts, and its group's number too where it is alone."""
    texts = {name: str(company[name]) for name in ("createdAt", "updatedAt")}
    if not is_listed:
        texts["bcGroupId"] = str(company["bcGroupId"])
    return copy.deepcopy(company) | texts


def _check_extra(rows: Any) -> None:
    if not isinstance(rows, list):
        raise RefusedError("extraFields is no list", "extraFields")
    for row in rows:
        known(row, EXTRA, "extraFields")
        if set(row) != EXTRA:
            raise RefusedError("an extra field has a name and a value", "extraFields")
