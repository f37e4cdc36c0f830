"""One shop as those see it who buy there, work there, or ask it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from platforms.prestashop.sandbox_catalogue import Catalogue, Tell
from platforms.prestashop.sandbox_fields import RESOURCES, Resource, Row
from platforms.prestashop.sandbox_orders import Orders
from platforms.prestashop.sandbox_people import People
from platforms.prestashop.sandbox_slips import Slips
from platforms.prestashop.sandbox_tables import Json, Tables
from platforms.prestashop.sandbox_wire import Writer


class Store:
    """Orders, customers, products and stock; each method gives the vendor's body.

    Args:
        seed: what the shop is like.
        clock: gives the time.
        tell: hands an event to the module: its name and ids.
    """

    def __init__(self, seed: Json, clock: Callable[[], datetime], tell: Tell) -> None:
        self.tables = Tables(seed, clock)
        self.catalogue = Catalogue(self.tables, tell)
        self.people = People(self.tables, tell)
        self.orders = Orders(self.tables, self.catalogue, self.people, tell)
        self.slips = Slips(self.orders)
        numbers = list(self.tables.rows["languages"])
        notices, padding = bool(seed["has_notices"]), bool(seed["has_padding"])
        self.writer = Writer(seed["link_url"], numbers, self.lists, notices, padding)

    # -- orders ------------------------------------------------------------------------------------

    def place(self, draft: Json) -> Json:
        """Place the order a draft describes."""
        return self.order(self.orders.place(draft))

    def update(self, number: int, changes: Json) -> Json:
        """Change quantities, notes, addresses or the state."""
        return self.order(self.orders.update(number, changes))

    def cancel(self, number: int, given: Json | None = None) -> Json:
        """Give the order up."""
        return self.order(self.orders.cancel(number, given or {}))

    def pay(self, number: int, given: Json | None = None) -> Json:
        """Note that it is paid, or one payment."""
        return self.order(self.orders.pay(number, given or {}))

    def refund(self, number: int, given: Json | None = None) -> Json:
        """Write a credit slip."""
        return self.order(self.slips.refund(number, given or {}))

    def take_back(self, number: int, given: Json) -> Json:
        """Goods come back."""
        return self.order(self.slips.take_back(number, given))

    def ship(self, number: int, given: Json | None = None) -> Json:
        """Send it."""
        return self.order(self.orders.ship(number, given or {}))

    def delete(self, number: int, given: Json | None = None) -> Json:
        """Erase it."""
        return self.order(self.orders.delete(number, given))

    # -- customers and products --------------------------------------------------------------------

    def customer(self, given: Json) -> Json:
        """Open an account; a phone is kept with an address only."""
        row = self.people.register(given)
        if "phone" in given:
            fill: Json = {name: given[name] for name in ("phone", "company") if name in given}
            self.people.address(fill, row, "My address")
        return self.body("customers", row)

    def change_customer(self, number: int, changes: Json) -> Json:
        """Change an account."""
        return self.body("customers", self.people.change(number, changes))

    def delete_customer(self, number: int) -> Json:
        """Erase an account."""
        return self.body("customers", self.people.delete(number))

    def change_address(self, number: int, changes: Json) -> Json:
        """Change an address where it is."""
        row = self.tables.rows["addresses"][number]
        return self.body("addresses", self.people.change_address(row, changes))

    def delete_address(self, number: int) -> Json:
        """Take an address away."""
        return self.body("addresses", self.people.delete_address(number))

    def change_product(self, number: int, changes: Json) -> Json:
        """Change stock, name, price, or whether it is sold."""
        return self.body("products", self.catalogue.change(number, changes))

    def add_special(self, number: int, rule: Json) -> Json:
        """Give a product another price for somebody."""
        return self.body("specific_prices", self.catalogue.add_special(number, rule))

    def delete_product(self, number: int) -> Json:
        """Take a product away."""
        return self.body("products", self.catalogue.delete(number))

    # -- bodies ------------------------------------------------------------------------------------

    def order(self, row: Row) -> Json:
        """An order as a list shows it in JSON: nothing is left out there."""
        return self.body("orders", row)

    def body(self, plural: str, row: Row) -> Json:
        """Any row likewise."""
        return self.writer.json_row(RESOURCES[plural], row)

    def lists(self, resource: Resource, row: Row) -> Mapping[str, Sequence[Row]]:
        """What stands inside a row."""
        tables = self.tables
        makers: dict[str, Callable[[], Mapping[str, Sequence[Row]]]] = {
            "carts": lambda: {"cart_rows": row.get("_rows", [])},
            "orders": lambda: {"order_rows": self.orders.lines.rows_in(row)},
            "order_details": lambda: {"taxes": tables.taxes_of(row["id_tax_rules_group"])},
            "order_slip": lambda: {"order_slip_details": row.get("_details", [])},
            "customers": lambda: {"groups": _ids(row.get("_groups", []))},
            "products": lambda: self.catalogue.lists(row),
            "customer_threads": lambda: {
                "customer_messages": _ids(
                    one["id"]
                    for one in tables.where("customer_messages", id_customer_thread=row["id"])
                )
            },
        }
        make = makers.get(resource.plural)
        return make() if make else {}


def _ids(numbers: Any) -> list[Row]:
    return [{"id": str(number)} for number in numbers]
