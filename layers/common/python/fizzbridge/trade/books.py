"""What our own rows say about an order's surroundings: stock, the account, its empties, maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from fizzbridge.model.catalogue import CatalogueItem, ListPrice, LotStock, Receipt
from fizzbridge.model.customer import Customer
from fizzbridge.model.scheme import Scheme
from fizzbridge.model.working import Working
from fizzbridge.settings import Bridge
from fizzbridge.trade.empties import Movement
from fizzbridge.trade.packs import Catalogue


@dataclass(frozen=True)
class Rules:
    """What the company configured.

    Attributes:
        bridge: the bridge file.
        catalogue: the items we sell.
        schemes: deposit and levy rates of all places and days.
        prices: list and contract prices.
    """

    bridge: Bridge
    catalogue: Catalogue
    schemes: Sequence[Scheme] = ()
    prices: Sequence[ListPrice] = ()


@dataclass(frozen=True)
class Allotted:
    """What an order gets of one item, in base units.

    Attributes:
        wanted: what it asks for.
        allotted: what stock covers of it.
        lots: what is on hand by production batch, where the warehouse says it.
        receipts: what comes from suppliers.
        working: how the figure came about.
    """

    wanted: int
    allotted: int
    lots: tuple[LotStock, ...]
    working: Working
    receipts: tuple[Receipt, ...] = ()


class Books(Protocol):
    """Our own records, as one assessment needs them."""

    def sku(self, code: str) -> str | None:
        """Our code for one of the source's; None where nobody said."""
        ...

    def sku_cause(self, code: str) -> str:
        """What a hold for a missing code waits for."""
        ...

    def account(self) -> Customer | None:
        """The account the order is on, where it is known."""
        ...

    def credit_cause(self) -> str:
        """What a hold for credit waits for."""
        ...

    def other_orders(self, currency: str) -> Decimal:
        """Gross of the account's other orders that are confirmed and not invoiced."""
        ...

    def expect(self, needs: Mapping[str, Mapping[str, int]]) -> None:
        """Say what the order takes of each item, by line: another amount is to be reserved anew."""
        ...

    def allot(
        self, item: CatalogueItem, wanted: Mapping[str, int], at: datetime
    ) -> Allotted | None:
        """Claim base units for lines; None where no system told of stock, or counts them in."""
        ...

    def stock_cause(self, sku: str) -> str:
        """What a hold for stock waits for."""
        ...

    def empties(self) -> Mapping[str, Sequence[Movement]]:
        """The outlet's ledger by type of container, without this order's own movements."""
        ...

    def empties_cause(self, container: str) -> str:
        """What a hold for empties brought beyond those outstanding waits for."""
        ...
