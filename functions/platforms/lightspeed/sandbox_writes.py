"""What the sandbox's API lets one write: sales, returns, fulfilments, customers, products."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from platforms.lightspeed.sandbox_legacy import legacy_customer
from platforms.lightspeed.sandbox_query import WrongRequestError
from platforms.lightspeed.sandbox_reads import Answer, ReadApi
from platforms.lightspeed.sandbox_shapes import (
    STATES,
    STATUSES,
    ZERO,
    Json,
    five,
    number,
    shown,
)
from platforms.lightspeed.sandbox_store import FULFILS, Store

Writes = dict[tuple[str, str], tuple[tuple[str, ...], Answer]]

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SALE = set(
    "source state attributes customer_id date invoice_number note short_code"
    " accounts_transaction_id fulfillment_outlet_id fulfillment_details line_items payments"
    " pricing".split()
)
SOURCE = {"author_id", "register_id", "id", "type"}
LINE = set(
    "id product quantity pricing tax status fulfilment_outlet_id attributes source"
    " _metadata".split()
)
PRICING = {"price", "cost", "discount", "loyalty_amount", "adjustments"}
PAYMENT = {"id", "amount", "date", "type", "source", "billing_address_id", "billing_address_token"}
KINDS = {"NON_CASH_FEE", "DISCOUNT", "TIP"}
WRITABLE = set(
    "first_name last_name customer_code customer_group_id enable_loyalty email note gender"
    " date_of_birth company_name do_not_email phone mobile fax twitter website"
    " on_account_limit".split()
) | {f"custom_field_{place}" for place in range(1, 5)}
WRITABLE |= {
    f"{kind}_{field}"
    for kind in ("physical", "postal")
    for field in "address_1 address_2 suburb city postcode state country_id".split()
}
CARD = re.compile(r"(?<!\d)(?:\d[ -]?){12,18}\d(?!\d)")


class WriteApi:
    """The writing half of the API.

    Args:
        seed: what the shop is like.
        reads: finds and shows rows.
        accepted: counts what was written.
    """

    def __init__(self, seed: Json, reads: ReadApi, accepted: Counter[str]) -> None:
        self.seed = seed
        self.reads = reads
        self.accepted = accepted

    @property
    def store(self) -> Store:
        """The shop as it is now."""
        return self.reads.store

    def routes(self) -> Writes:
        """Every write with the scopes it needs."""
        return {
            ("POST", "/sales"): (("sales:write",), self._create_sale),
            ("PUT", "/sales/{id}"): (("sales:write",), self._update_sale),
            ("POST", "/sales/{id}/actions/return"): (
                ("sales:write", "users:read"),
                self._return_sale,
            ),
            ("POST", "/sales/{id}/fulfill"): (("fulfillments:write",), self._fulfil),
            ("POST", "/customers"): (("customers:write",), self._create_customer),
            ("PUT", "/customers/{id}"): (("customers:write",), self._update_customer),
            ("DELETE", "/customers/{id}"): (("customers:write",), self._delete_customer),
            ("PUT", "/products/{id}"): (("products:write",), self._update_product),
        }

    # -- sales -------------------------------------------------------------------------------------

    async def _create_sale(self, request: Request) -> Response:
        given = await _body(request)
        sale_id = given.pop("id", None)
        if sale_id is not None and not (isinstance(sale_id, str) and UUID.fullmatch(sale_id)):
            raise WrongRequestError("id must be a UUID", 422)
        old = self.store.sales.get(sale_id or "")
        if old is not None and self.seed["repost"] != "overwrite":
            raise WrongRequestError("A sale with this id already exists.", 409)
        sale = old or self.store.empty_sale(self.store.moment(None))
        self._write(sale | {"id": sale_id or sale["id"]}, given)
        return self._shown(sale_id or sale["id"], "sales")

    async def _update_sale(self, request: Request) -> Response:
        given = await _body(request)
        sale = self.reads.found_sale(request)
        self._write(dict(sale), given)
        return self._shown(sale["id"], "sale_updates")

    async def _return_sale(self, request: Request) -> Response:
        sale = self.reads.found_sale(request)
        back = self.store.start_return(sale["id"])
        self.store.settle(back)
        self.store.settle(sale)
        return self._shown(back["id"], "returns")

    async def _fulfil(self, request: Request) -> Response:
        given = await _body(request)
        sale = self.reads.found_sale(request)
        wanted = str(given.get("fulfillment_type"))
        if set(given) != {"fulfillment_type"} or wanted not in FULFILS.values():
            raise WrongRequestError("fulfillment_type must be SHIPPED or PICKED_UP")
        done = self.store.fulfillments.get(sale["id"])
        if not done and FULFILS.get(sale["status"]) != wanted:
            raise WrongRequestError("Nothing awaits this.", 409)
        row = self.store.fulfil(sale, wanted)
        self.accepted["fulfillments"] += not done
        return JSONResponse({"data": row})

    def _shown(self, sale_id: str, name: str) -> Response:
        self.accepted[name] += 1
        return JSONResponse({"data": self.store.shown(sale_id)})

    def _write(self, sale: Json, given: Json) -> None:
        """Everything is looked at before anything is kept."""
        _only(given, SALE, "sale")
        source = given.get("source")
        if not isinstance(source, dict) or "author_id" not in source:
            raise WrongRequestError("source.author_id is required", 422)
        _only(source, SOURCE, "source")
        self._row("users", source["author_id"])
        wanted = given.get("state")
        if wanted not in STATES:
            raise WrongRequestError("state must be parked, pending, voided or closed", 422)
        self.store.may_become(sale, wanted)
        if "register_id" in source:
            register = self._row("registers", source["register_id"])
            sale |= {"register_id": register["id"], "outlet_id": register["outlet_id"]}
        sale["user_id"] = source["author_id"]
        sale["source_id"] = source.get("id", sale["source_id"])
        sale["source"] = source.get("type", sale["source"])
        self._write_facts(sale, given)
        sale["status"] = self._status(sale, wanted, given)
        if "line_items" in given:
            sale["lines"] = self._lines(sale, given["line_items"])
        if "payments" in given:
            sale["payments"] = self._payments(sale, given["payments"])
        if "pricing" in given:
            sale["adjustments"] = self._adjustments(given["pricing"])
        self.store.settle(sale)

    def _write_facts(self, sale: Json, given: Json) -> None:
        if "customer_id" in given:
            sale["customer_id"] = self._row("customers", given["customer_id"])["id"]
        if "date" in given:
            sale["date"] = _moment(given["date"])
        for name in ("note", "short_code", "invoice_number"):
            if name in given:
                sale[name] = _redacted(given[name])

    def _status(self, sale: Json, wanted: str, given: Json) -> str:
        """State and attributes together are one word of the old shape."""
        attributes = given.get("attributes", STATUSES[sale["status"]][1])
        methods = {
            (line.get("_metadata") or {}).get("fulfillment_method", "").lower()
            for line in given.get("line_items", [])
        } & {"dispatch", "pickup"}
        marks = list(attributes) or sorted(methods)[:1]
        for status, (state_, has) in STATUSES.items():
            if state_ == wanted and has == marks[:1]:
                return status
        if wanted == "pending":
            raise WrongRequestError("a pending sale needs an attribute it waits for", 422)
        return STATES[wanted]

    def _lines(self, sale: Json, rows: Any) -> list[Json]:
        """A line with the id of one that is there replaces it; any other is added."""
        kept = {one["id"]: one for one in sale["lines"]}
        for place, given in enumerate(_rows(rows, "line_items")):
            _only(given, LINE, "line")
            line = self._line(given, place)
            old = kept.get(line["id"])
            kept[line["id"]] = line | ({"of": old["of"]} if old else {})
        has_links = {bool(one["of"]) for one in kept.values() if one["quantity"] < ZERO}
        if len(has_links) > 1:
            raise WrongRequestError("a return may not mix lines with and without a sale", 422)
        return list(kept.values())

    def _line(self, given: Json, place: int) -> Json:
        product, pricing, tax = (given.get(name) or {} for name in ("product", "pricing", "tax"))
        if missing := [
            name
            for name, value in (
                ("product.id", product.get("id")),
                ("quantity", given.get("quantity")),
                ("pricing.price", pricing.get("price")),
                ("tax.id", tax.get("id")),
                ("tax.amount", tax.get("amount")),
            )
            if value is None
        ]:
            raise WrongRequestError(f"{', '.join(missing)} is required", 422)
        _only(pricing, PRICING, "pricing")
        _only(tax, {"id", "amount"}, "tax")
        row, rate = self._row("products", product["id"]), self._row("taxes", tax["id"])
        quantity = _amount(given["quantity"], "quantity")
        more = given.get("_metadata") or {}
        notes = [x["value"] for x in given.get("attributes", []) if x["name"] == "line_note"]
        return {
            "id": given.get("id") or self.store.new_id(),
            "product_id": row["id"],
            "quantity": quantity,
            "price": _amount(pricing["price"], "pricing.price"),
            "discount": _amount(pricing.get("discount", 0), "pricing.discount"),
            "tax": _amount(tax["amount"], "tax.amount"),
            "tax_id": rate["id"],
            "rate_id": rate["rates"][0]["id"],
            "cost": _amount(pricing.get("cost", row["supply_price"]), "pricing.cost"),
            "note": _redacted(notes[0]) if notes else None,
            "price_set": bool(more.get("is_price_override", True)),
            "sequence": more.get("sequence", place),
            "is_return": quantity < ZERO,
            "reason": None,
            "of": None,
        }

    def _payments(self, sale: Json, rows: Any) -> list[Json]:
        kept = {one["id"]: one for one in sale["payments"]}
        for given in _rows(rows, "payments"):
            _only(given, PAYMENT, "payment")
            kind = (given.get("type") or {}).get("config_id")
            if kind is None or "amount" not in given:
                raise WrongRequestError("amount and type.config_id are required", 422)
            payment_id = given.get("id") or self.store.new_id()
            at = _moment(given["date"]) if "date" in given else self.store.moment(None)
            kept[payment_id] = {
                "id": payment_id,
                "amount": _amount(given["amount"], "amount"),
                "date": at,
                "type": self._row("payment_types", kind),
                "outlet_id": sale["outlet_id"],
                "register_id": sale["register_id"],
            }
        return list(kept.values())

    def _adjustments(self, pricing: Any) -> list[Json]:
        """Fixed amounts only; a discount takes away whatever its sign."""
        found = []
        for one in _rows((pricing or {}).get("adjustments", []), "pricing.adjustments"):
            amount = one.get("amount") or {}
            if one.get("type") not in KINDS or amount.get("type") != "FIXED":
                raise WrongRequestError("an adjustment has a type and a fixed amount", 422)
            value = _amount(amount.get("value"), "amount.value")
            value = -abs(value) if one["type"] == "DISCOUNT" else value
            row = {"type": one["type"], "name": one.get("name", one["type"])}
            rate = self.store.tax(0)["rates"][0]["id"]
            found.append(row | {"total": value, "tax": ZERO, "rate_id": rate})
        return found

    # -- customers and products --------------------------------------------------------------------

    async def _create_customer(self, request: Request) -> Response:
        given = await _body(request)
        _only(given, WRITABLE, "customer")
        if missing := {"first_name", "last_name"} - set(given):
            raise WrongRequestError(f"{', '.join(sorted(missing))} is required", 422)
        code = given.get("customer_code")
        if code and any(x["customer_code"] == code for x in self._customers()):
            raise WrongRequestError("customer_code is taken", 409)
        row = self.store.add_customer({"first_name": given["first_name"], "code": code})
        return self._keep_customer(row, given, 201)

    async def _update_customer(self, request: Request) -> Response:
        given = await _body(request)
        _only(given, WRITABLE, "customer")
        return self._keep_customer(self._row_of(request, "customers"), given, 200)

    async def _delete_customer(self, request: Request) -> Response:
        self.store.delete_customer(self._row_of(request, "customers")["id"])
        self.accepted["customer_deletions"] += 1
        return Response(status_code=204)

    def _customers(self) -> list[Json]:
        return [x for x in self.store.tables["customers"].values() if not x["deleted_at"]]

    def _keep_customer(self, row: Json, given: Json, status: int) -> Response:
        row |= {name: _redacted(value) for name, value in given.items()}
        row["name"] = " ".join(x for x in (row["first_name"], row["last_name"]) if x) or None
        self.store.touch(row)
        self.store.notify("customer.update", row["id"], legacy_customer(row))
        self.accepted["customers" if status == 201 else "customer_updates"] += 1
        return JSONResponse({"data": self.reads.row("customers", row)}, status)

    async def _update_product(self, request: Request) -> Response:
        given = await _body(request)
        row = self._row_of(request, "products")
        _only(given, {"details", "common"}, "product")
        common, details = given.get("common") or {}, given.get("details") or {}
        _only(common, {"name", "description"}, "common")
        _only(details, {"inventory", "price_excluding_tax", "price_including_tax"}, "details")
        levels = self._levels(row, _rows(details.get("inventory", []), "details.inventory"))
        prices = self._prices(details)
        row |= common | prices
        if "name" in common:
            row["variant_name"] = common["name"]
        for outlet_id, level in levels.items():
            self.store.set_level(row, outlet_id, level)
        if prices or common:
            self.store.tell_product(row)
        self.accepted["product_updates"] += 1
        return JSONResponse({"data": shown(self.reads.row("products", row), nulls=False)})

    def _levels(self, row: Json, given: list[Json]) -> dict[str, Decimal]:
        levels = {}
        for one in given:
            _only(one, {"outlet_id", "current_amount"}, "inventory")
            outlet = self._row("outlets", one.get("outlet_id"))
            levels[outlet["id"]] = _amount(one.get("current_amount"), "current_amount")
        if levels and not row["has_inventory"]:
            raise WrongRequestError("the product's inventory is not tracked", 422)
        return levels

    def _prices(self, details: Json) -> Json:
        """One price, in the way the shop counts; the other follows from it."""
        own, other = "price_excluding_tax", "price_including_tax"
        if self.seed["prices_include_tax"]:
            own, other = other, own
        if other in details:
            raise WrongRequestError(f"this shop keeps {own}", 422)
        if own not in details:
            return {}
        price = _amount(details[own], own)
        net, tax = self.store.split(price, None, bool(self.seed["prices_include_tax"]))
        return {"price_excluding_tax": number(net), "price_including_tax": number(net + tax)}

    def _row_of(self, request: Request, table: str) -> Json:
        row = self.store.tables[table].get(request.path_params["id"])
        if row is None or row["deleted_at"]:
            raise WrongRequestError("The requested resource was not found.", 404)
        return row

    def _row(self, table: str, row_id: Any) -> Json:
        row = self.store.tables[table].get(str(row_id))
        if row is None:
            raise WrongRequestError(f"no such row in {table}: {row_id}", 422)
        return row


async def _body(request: Request) -> Json:
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind != "application/json":
        raise WrongRequestError("The body must be application/json.")
    try:
        given = json.loads(await request.body(), parse_float=Decimal)
    except ValueError:
        raise WrongRequestError("The body must be JSON.") from None
    if not isinstance(given, dict):
        raise WrongRequestError("The body must be an object.")
    return given


def _only(given: Json, names: set[str], what: str) -> None:
    if unknown := set(given) - names:
        raise WrongRequestError(f"unknown in {what}: {', '.join(sorted(unknown))}", 422)


def _rows(given: Any, what: str) -> list[Json]:
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise WrongRequestError(f"{what} must be a list of objects", 422)
    return given


def _amount(given: Any, what: str) -> Decimal:
    """A JSON number; the pinned version takes none in quotes."""
    if isinstance(given, bool) or not isinstance(given, int | float | Decimal):
        if what == "amount.value" and isinstance(given, str):
            return five(Decimal(given))
        raise WrongRequestError(f"{what} must be a number", 422)
    return five(Decimal(str(given)))


def _moment(given: Any) -> datetime:
    try:
        at = datetime.fromisoformat(str(given))
    except ValueError:
        raise WrongRequestError("a date must be RFC3339", 422) from None
    if at.tzinfo is None:
        raise WrongRequestError("a date must be RFC3339", 422)
    return at.astimezone(UTC)


def _redacted(value: Any) -> Any:
    """What looks like the number of a card is gone, and nobody says so."""
    return CARD.sub("****", value) if isinstance(value, str) else value
