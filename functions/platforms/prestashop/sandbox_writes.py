"""What a client writes, and what of it the Webservice refuses or loses."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from platforms.prestashop.sandbox_fields import RESOURCES, ZERO_DATE, Field, Resource, Row
from platforms.prestashop.sandbox_store import Store
from platforms.prestashop.sandbox_tables import (
    BUYERS,
    ERROR,
    PAYMENTS,
    REMOTE,
    RefusedError,
    price,
    secret_of,
)
from platforms.prestashop.sandbox_wire import Given, VendorError, empty, parse

Query = Mapping[str, str]
TUPLE = (
    "id_shop_group id_shop id_cart id_product id_product_attribute id_currency id_country"
    " id_group id_customer from_quantity from to".split()
)
"""What makes a price rule the same as another."""
USED_CART = "Cart cannot be loaded or an order has already been placed using this cart"
_CART_ROW = dict.fromkeys(
    "id_product id_product_attribute id_address_delivery id_customization quantity".split(), "0"
)
_SLIP_ROW = dict.fromkeys("id id_order_detail product_quantity".split(), "0")
_SLIP_ROW |= dict.fromkeys(("amount_tax_excl", "amount_tax_incl"), "0.000000")


class Writes:
    """POST, PUT, PATCH and DELETE.

    Args:
        store: the shop.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.tables = store.tables

    def do(
        self, method: str, resource: Resource, number: str, raw: bytes, query: Query
    ) -> Row | None:
        """Write; gives the row as it is now, nothing for one that is gone."""
        if method == "DELETE":
            self._delete(resource, number)
            return None
        given = parse(resource, raw)[0]
        if method == "POST":
            return self._create(resource, given)
        wanted = given.values.get("id", "")
        if not wanted:
            raise VendorError(400, (90, "id is required when modifying a resource"))
        found = self.tables.rows[resource.plural].get(int(wanted) if wanted.isdigit() else 0)
        if found is None or number not in ("", wanted):
            raise VendorError(404, (92, f"Id of the body and of the address differ: {wanted}"))
        self._check(resource, given, is_whole=method == "PUT")
        dynamic = {one.name for one in resource.fields if one.is_dynamic}
        values = {name: text for name, text in given.values.items() if name not in dynamic}
        values.pop("id")
        if method == "PUT":
            # What is not in the body is emptied without a word.
            kept = [one for one in resource.fields if not (one.is_dynamic or one.is_readonly)]
            values = {one.name: _emptied(one) for one in kept} | values
        return self._change(resource, found, values, query)

    def _check(self, resource: Resource, given: Given, *, is_whole: bool) -> None:
        for one in resource.fields:
            if one.is_readonly and one.name in given.values:
                told = f'parameter "{one.name}" not writable. Please remove this attribute'
                raise VendorError(400, (93, told))
            if is_whole and one.is_required and not given.values.get(one.name):
                told = f'parameter "{one.name}" required'
                raise VendorError(400, (41, told))
            value = given.values.get(one.name)
            if value is not None and not one.takes(value):
                told = (
                    f'Validation error: "Property {resource.class_name}->{one.name} is not valid"'
                )
                raise VendorError(400, (85, told))

    # -- create ------------------------------------------------------------------------------------

    def _create(self, resource: Resource, given: Given) -> Row:
        values, plural = dict(given.values), resource.plural
        if values.pop("id", ""):
            raise VendorError(400, (90, "id is forbidden when adding a new resource"))
        self._check(resource, given, is_whole=True)
        if plural == "order_histories":
            return self._enter(values)
        if plural == "orders":
            return self._order(values)
        if plural == "customers":
            self._refuse_twin(values)
            values["secure_key"] = secret_of("customer", values["email"])
        if plural == "specific_prices":
            for row in self.tables.rows[plural].values():
                if all(row[name] == values.get(name, "0") for name in TUPLE):
                    raise empty(500)
        for name in ("date_add", "date_upd"):
            if name in resource.by_name:
                values.setdefault(name, self.tables.local())
        row = self.tables.add(plural, values | self._inner(plural, given))
        self._tell(plural, row)
        return row

    def _inner(self, plural: str, given: Given) -> Row:
        """The lists inside a new row."""
        if plural == "customers":
            groups = [item["id"] for item in given.lists.get("groups", [])]
            default = given.values.setdefault("id_default_group", str(BUYERS))
            return {"id_default_group": default, "_groups": groups or [default]}
        if plural == "carts":
            return {"_rows": [_CART_ROW | item for item in given.lists.get("cart_rows", [])]}
        if plural == "order_slip":
            details = [_SLIP_ROW | item for item in given.lists.get("order_slip_details", [])]
            for item in details:
                item["id"] = str(self.tables.next_of("order_slip_details"))
            return {"_details": details}
        return {}

    def _order(self, values: Row) -> Row:
        """An order from a cart: always paid, and told back almost empty."""
        tables, orders = self.tables, self.store.orders
        cart = tables.rows["carts"].get(int(values["id_cart"]))
        if cart is None or tables.where("orders", id_cart=cart["id"]):
            raise VendorError(500, plain=USED_CART)
        products, rows = tables.rows["products"], cart.get("_rows", [])
        buyer = tables.rows["customers"].get(int(values["id_customer"]))
        is_known = all(int(item["id_product"]) in products for item in rows)
        if not is_known or buyer is None or values["module"] not in PAYMENTS:
            raise empty(500)
        # Sums, carrier and state are the cart's and the shop's, whatever was sent.
        names = "id_address_delivery id_address_invoice id_cart id_currency id_customer".split()
        names += "module payment conversion_rate".split()
        facts = {name: values[name] for name in names} | {"secure_key": buyer["secure_key"]}
        facts |= {name: buyer[name] for name in ("id_shop", "id_shop_group")}
        order = orders.open(facts, None)
        for item in rows:
            attribute = int(item["id_product_attribute"] or 0)
            plural, key = ("combinations", attribute) if attribute else ("products", 0)
            sold = tables.rows[plural][key or int(item["id_product"])]
            line = {"sku": sold["reference"], "quantity": item["quantity"]}
            orders.lines.add(order, line, buyer, included=False)
        orders.total(order)
        sent = Decimal(values["total_paid"])
        is_right = sent == Decimal(order["total_paid"])
        orders.begin(order, REMOTE if is_right else ERROR)
        if not is_right:
            order["total_paid_real"] = price(sent)
        told = {name: values.get(name, "") for name in RESOURCES["orders"].by_name}
        return told | {"id": order["id"]}

    def _enter(self, values: Row) -> Row:
        order, state = int(values["id_order"]), int(values["id_order_state"])
        if order not in self.tables.rows["orders"]:
            raise empty(500)
        if state not in self.tables.rows["order_states"]:
            raise empty(500)
        self.store.orders.enter(order, state)
        return list(self.tables.where("order_histories", id_order=order))[-1]

    def _refuse_twin(self, values: Row) -> None:
        is_guest = values.get("is_guest", "0") == "1"
        if not is_guest and self.tables.first("customers", email=values["email"], is_guest=0):
            told = f'The email "{values["email"]}" is already used'
            raise VendorError(500, (140, told), (46, "Unable to save resource"))

    # -- change and delete -------------------------------------------------------------------------

    def _change(self, resource: Resource, row: Row, values: Row, query: Query) -> Row:
        plural, tables = resource.plural, self.tables
        state = values.pop("current_state", "") if plural == "orders" else ""
        moved = "tracking_number" in values and values["tracking_number"] != row.get(
            "tracking_number"
        )
        row |= values
        if "date_upd" in resource.by_name:
            row["date_upd"] = tables.local()
        if plural == "stock_availables":
            # Writing the sum itself is accepted, and lost at the next sale.
            keeps = row["id_product_attribute"] == "0"
            self.store.catalogue.stock_changed(row, keeps_sum=keeps)
        elif plural == "order_carriers" and moved:
            order = tables.rows["orders"].get(int(row["id_order"]))
            if order:
                order["shipping_number"] = row["tracking_number"]
                if query.get("sendemail") == "1":
                    self.store.orders.told("order.shipped", order)
        elif state and state != row["current_state"]:
            if int(state) not in tables.rows["order_states"]:
                raise empty(500)
            self.store.orders.enter(int(row["id"]), int(state))
        else:
            self._tell(plural, row)
        return row

    def _delete(self, resource: Resource, number: str) -> None:
        rows = self.tables.rows[resource.plural]
        key = int(number) if number.isdigit() else 0
        if key not in rows:
            raise empty(404)
        if resource.plural == "products":
            self.store.catalogue.delete(key)
            return
        row = rows.pop(key)
        if resource.plural == "specific_prices":
            self.store.catalogue.rule_changed(row)

    def _tell(self, plural: str, row: Row) -> None:
        """The hooks of our module that run whoever writes."""
        store = self.store
        try:
            if plural == "products":
                store.catalogue.product_changed(row, {})
            elif plural == "customers":
                store.people.customer_changed(row)
            elif plural == "addresses":
                store.people.address_changed(row)
            elif plural == "specific_prices":
                store.catalogue.rule_changed(row)
            elif plural == "order_payments":
                store.orders.paid(row["order_reference"])
        except RefusedError as refused:
            raise empty(500) from refused


def _emptied(one: Field) -> str:
    if one.format in ("on", "one"):
        return "0"
    if one.format == "date":
        return ZERO_DATE
    return one.default
