"""What our own rows say, given by hand: for tests of the trade's rules without a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from fizzbridge.model.catalogue import CatalogueItem
from fizzbridge.model.customer import Customer
from fizzbridge.trade.books import Allotted
from fizzbridge.trade.empties import Movement


@dataclass
class GivenBooks:
    skus: Mapping[str, str] = field(default_factory=dict)
    customer: Customer | None = None
    others: Decimal = Decimal(0)
    stock: Mapping[str, Allotted] = field(default_factory=dict)
    ledger: Mapping[str, Sequence[Movement]] = field(default_factory=dict)

    def sku(self, code: str) -> str | None:
        return self.skus.get(code)

    def sku_cause(self, code: str) -> str:
        return f"MAP#shop#sku/{code}"

    def account(self) -> Customer | None:
        return self.customer

    def credit_cause(self) -> str:
        return "CREDIT#account"

    def other_orders(self, currency: str) -> Decimal:
        return self.others

    def expect(self, needs: Mapping[str, Mapping[str, int]]) -> None:
        pass

    def allot(
        self, item: CatalogueItem, wanted: Mapping[str, int], at: datetime
    ) -> Allotted | None:
        return self.stock.get(item.sku)

    def stock_cause(self, sku: str) -> str:
        return f"STOCK#{sku}"

    def empties(self) -> Mapping[str, Sequence[Movement]]:
        return self.ledger

    def empties_cause(self, container: str) -> str:
        return f"EMPTIES#account#/{container}"
