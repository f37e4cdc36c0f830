"""What a shop tells of a thing it sells: that it is sold, what it costs, how much is offered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal

from fizzbridge.model.base import Frozen
from fizzbridge.model.catalogue import Price, Product, StockLevel
from fizzbridge.model.entity import LEVEL_KINDS, EntityRef, Kind, ref
from fizzbridge.model.money import Money, to_minor_unit
from fizzbridge.model.units import Unit
from fizzbridge.observation import Hint, Seen


@dataclass(frozen=True)
class Offer:
    """One thing a shop sells, with what its product, price and stock have in common.

    Attributes:
        connection: the shop's.
        id: the shop's id of what is put into a cart: a product, a variant.
        sku: the code it is sold under.
        changed: see ``Seen``.
        refetch: see ``Seen``.
    """

    connection: str
    id: str
    sku: str
    changed: datetime | int
    refetch: Hint | None = None

    @property
    def product(self) -> EntityRef:
        """What its price and its stock refer to."""
        return ref(Kind.PRODUCT, self.connection, self.id)

    def shown(self, name: str, *, gtin: str = "", is_active: bool = True) -> Seen:
        """The thing itself; ``is_active`` says whether the shop sells it now."""
        body = Product(sku=self.sku, name=name, gtin=gtin, is_active=is_active)
        return self._seen(Kind.PRODUCT, "", body)

    def priced(
        self,
        amount: Decimal,
        currency: str,
        *,
        tax_included: bool,
        price_list: str = "",
        part: str = "",
    ) -> Seen:
        """What it costs, to the currency's minor unit; of which unit is for the code to say.

        Args:
            amount: one of what is sold.
            currency: its ISO code.
            tax_included: whether tax is in the amount.
            price_list: by the name its owner may know it under; none for the standing price.
            part: what tells it from the other prices, where that is not the price list's name.
        """
        body = Price(
            product=self.product,
            sku=self.sku,
            price_list=price_list,
            unit=Unit.EACH,
            price=Money(amount=to_minor_unit(amount, currency), currency=currency),
            tax_included=tax_included,
        )
        return self._seen(Kind.PRICE, part or price_list, body)

    def stocked(self, offered: Decimal | int, as_of: datetime, location: str = "") -> Seen:
        """How much the shop offers, in whole pieces."""
        body = StockLevel(
            product=self.product,
            sku=self.sku,
            location=location,
            on_hand=int(Decimal(offered).to_integral_value(ROUND_FLOOR)),
            as_of=as_of,
        )
        return self._seen(Kind.STOCK_LEVEL, location, body)

    def _seen(self, kind: Kind, part: str, body: Frozen) -> Seen:
        entity = ref(kind, self.connection, f"{self.id}:{part}" if part else self.id)
        return Seen(entity, body, self.changed, refetch=self.refetch)


def withdrawn(
    connection: str, id_: str, changed: datetime | int, refetch: Hint | None = None
) -> Iterator[Seen]:
    """A thing the shop has deleted, with its standing price and its stock in one place."""
    for kind in sorted(LEVEL_KINDS):
        yield Seen(ref(kind, connection, id_), None, changed, refetch=refetch)
