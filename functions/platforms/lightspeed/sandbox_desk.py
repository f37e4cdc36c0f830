"""What people do at the sandbox shop's desk: customers, prices, counts, transfers, tills."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

from platforms.lightspeed.sandbox_catalogue import Catalogue
from platforms.lightspeed.sandbox_legacy import (
    legacy_consignment,
    legacy_customer,
    legacy_inventory,
    legacy_product,
)
from platforms.lightspeed.sandbox_shapes import ZERO, Json, RefusedError, known, number, stamp

ADDRESS = set(
    "first_name last_name company address_1 address_2 city state postcode country"
    " phone email".split()
)

Notify = Callable[[str, str, Json], None]


class Desk(Catalogue):
    """Everything but ringing up sales.

    Args:
        seed: what the shop is like.
        clock: gives the time.
        notify: sends one webhook: type, id of the object, its old shape.
    """

    def __init__(self, seed: Json, clock: Callable[[], datetime], notify: Notify) -> None:
        super().__init__(seed, clock)
        self.notify = notify
        self.sales: dict[str, Json] = {}

    def add_account(self, given: Json) -> Json:
        """A customer with its addresses."""
        places: Json = {name: given[name] for name in ("billing", "shipping") if name in given}
        rest = {name: value for name, value in given.items() if name not in places}
        row = self.add_customer(rest)
        self.write_addresses(row, places)
        self.notify("customer.update", row["id"], legacy_customer(row))
        return copy.deepcopy(row)

    def change_customer(self, customer_id: str, changes: Json) -> Json:
        """Change a customer by the names of its own fields."""
        row = self.row("customers", customer_id)
        known(changes, set(row) - {"id", "version", "created_at"}, "customer")
        row |= changes
        row["name"] = " ".join(x for x in (row["first_name"], row["last_name"]) if x) or None
        self.touch(row)
        self.notify("customer.update", customer_id, legacy_customer(row))
        return copy.deepcopy(row)

    def delete_customer(self, customer_id: str) -> Json:
        """A customer goes; its row stays in the feed."""
        return self.change_customer(customer_id, {"deleted_at": stamp(self.moment(None))})

    def change_product(self, sku: str, changes: Json) -> Json:
        """Set a price, a name or the count; the count is told as stock, not as product."""
        known(changes, {"price", "name", "stock", "deleted"}, "product")
        row = self.product(sku)
        if "stock" in changes:
            self.set_level(row, self.first("outlets")["id"], Decimal(str(changes["stock"])))
        if "price" in changes:
            included = bool(self.seed["prices_include_tax"])
            net, tax = self.split(Decimal(str(changes["price"])), None, included)
            row |= {
                "price_excluding_tax": number(net),
                "price_including_tax": number(net + tax),
            }
        if "name" in changes:
            row |= dict.fromkeys(("name", "variant_name"), changes["name"])
        if changes.get("deleted"):
            row["deleted_at"] = stamp(self.moment(None))
        if set(changes) != {"stock"}:
            self.tell_product(row)
        return copy.deepcopy(row)

    def set_level(self, product: Json, outlet_id: str, level: Decimal) -> None:
        """Set the count of one outlet."""
        rows = [x for x in self.levels(product["id"]) if x["outlet_id"] == outlet_id]
        if not rows:
            raise RefusedError("nobody counts this product")
        rows[0]["inventory_level"] = number(level)
        self.touch(rows[0])
        self.tell_stock(rows)

    def tell_stock(self, rows: list[Json]) -> None:
        """Tell each level that moved."""
        for row in rows:
            self.notify("inventory.update", row["id"], legacy_inventory(row, self))

    def tell_product(self, row: Json) -> None:
        """A product changed."""
        self.touch(row)
        self.notify("product.update", row["id"], legacy_product(row, self))

    def consign(self, given: Json) -> Json:
        """Write a supplier's order or a transfer."""
        known(given, {"type", "name", "lines", "reference"}, "consignment")
        kind = given.get("type", "SUPPLIER")
        if kind not in {"SUPPLIER", "OUTLET", "RETURN"}:
            raise RefusedError(f"no such type: {kind}")
        outlets = list(self.tables["outlets"])
        row = {
            "outlet_id": outlets[0],
            "name": given.get("name", "Stock order"),
            "type": kind,
            "status": "OPEN",
            "consignment_date": stamp(self.moment(None)),
            "due_at": None,
            "received_at": None,
            "supplier_id": None,
            "source_outlet_id": outlets[-1] if kind == "OUTLET" else None,
            "reference": given.get("reference"),
        }
        lines = [
            {
                "product_id": self.product(one["sku"])["id"],
                "product_sku": one["sku"],
                "count": f"{one['quantity']:.5f}",
                "received": "0.00000",
                "cost": "0.00000",
                "is_included": True,
                "status": "PENDING",
            }
            for one in given.get("lines", [])
        ]
        kept = self.add("consignments", row, self.moment(None))
        self.consigned[kept["id"]] = lines
        return copy.deepcopy(kept)

    def move_consignment(self, consignment_id: str, action: str) -> Json:
        """Send it, or receive what was sent, which raises the stock."""
        row = self.row("consignments", consignment_id)
        before, after = {"send": ("OPEN", "SENT"), "receive": ("SENT", "RECEIVED")}[action]
        if row["status"] != before:
            raise RefusedError(f"a consignment that is {row['status']} cannot be {after}")
        row["status"] = after
        lines = self.consigned[consignment_id]
        if action == "receive":
            row["received_at"] = stamp(self.moment(None))
            for line in lines:
                line |= {"received": line["count"], "status": "RECEIVE_SUCCESS"}
        self.touch(row)
        self.notify(f"consignment.{action}", row["id"], legacy_consignment(row, lines))
        for line in lines if action == "receive" else []:
            self.tell_stock(
                self.move(line["product_id"], row["outlet_id"], Decimal(line["received"]))
            )
        return copy.deepcopy(row)

    def close_register(self) -> Json:
        """Count the till: what was taken since it was opened, by kind of payment."""
        register = self.first("registers")
        at = stamp(self.moment(None))
        taken: dict[str, Decimal] = {}
        for sale in self.sales.values():
            for one in sale["payments"]:
                taken[one["type"]["id"]] = taken.get(one["type"]["id"], ZERO) + one["amount"]
        body: Json = {
            "id": register["register_open_sequence_id"],
            "register_id": register["id"],
            "outlet_id": register["outlet_id"],
            "register_open_time": register["register_open_time"],
            "register_close_time": at,
            "payments": [
                {
                    "payment_type_id": kind,
                    "payment_type_name": self.tables["payment_types"][kind]["name"],
                    "total": str(amount),
                }
                for kind, amount in taken.items()
            ],
        }
        register |= {"register_open_sequence_id": self.new_id(), "register_open_time": at}
        self.touch(register)
        self.notify("register_closure.create", body["id"], body)
        return body

    def write_addresses(self, row: Json, places: Json) -> None:
        """The postal address is who pays, the physical one where the goods go."""
        for name, kind in (("billing", "postal"), ("shipping", "physical")):
            given = places.get(name) or {}
            known(given, ADDRESS, name)
            own = {"first_name": "first_name", "last_name": "last_name", "company": "company_name"}
            own |= {"phone": "phone", "email": "email"}
            for key, field in own.items():
                row[field] = row[field] or given.get(key)
            fields = {"city": "city", "state": "state", "postcode": "postcode"}
            fields |= {"address_1": "address_1", "address_2": "address_2", "country": "country_id"}
            for key, field in fields.items():
                if key in given:
                    row[f"{kind}_{field}"] = given[key]
        row["name"] = " ".join(x for x in (row["first_name"], row["last_name"]) if x) or None

    def moment(self, given: str | None) -> datetime:
        """A given time, or now; always UTC."""
        return (datetime.fromisoformat(given) if given else self.clock()).astimezone(UTC)
