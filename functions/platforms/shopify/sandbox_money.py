"""The sandbox's money: every amount in shop and presentment currency."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Json = dict[str, Any]

DECIMALS = {"JPY": 0, "KRW": 0, "BHD": 3, "KWD": 3}


@dataclass(frozen=True)
class Money:
    """One amount in shop and presentment currency."""

    shop: Decimal = Decimal(0)
    presentment: Decimal = Decimal(0)

    def __add__(self, other: Money) -> Money:
        return Money(self.shop + other.shop, self.presentment + other.presentment)

    def __sub__(self, other: Money) -> Money:
        return Money(self.shop - other.shop, self.presentment - other.presentment)

    def __bool__(self) -> bool:
        return bool(self.shop)


ZERO = Money()


def total(amounts: Iterable[Money]) -> Money:
    """The sum of amounts, zero for none."""
    return sum(amounts, ZERO)


@dataclass(frozen=True)
class Currencies:
    """The two currencies of an order and the rate between them."""

    shop: str
    presentment: str
    rate: Decimal = Decimal(1)

    def money(self, amount: Any) -> Money:
        """A shop amount with its presentment side."""
        shop = _rounded(Decimal(str(amount)), self.shop)
        return Money(shop, _rounded(shop * self.rate, self.presentment))

    def presented(self, amount: Any) -> Money:
        """A presentment amount with its shop side."""
        shown = _rounded(Decimal(str(amount)), self.presentment)
        return Money(_rounded(shown / self.rate, self.shop), shown)

    def times(self, money: Money, ratio: Decimal, over: Decimal = Decimal(1)) -> Money:
        """A share of an amount, rounded in each currency.

        Divided last: a quotient cut off before would take a half to the wrong side.
        """
        return Money(
            _rounded(money.shop * ratio / over, self.shop),
            _rounded(money.presentment * ratio / over, self.presentment),
        )

    def text(self, money: Money) -> str:
        """The shop amount as the vendor writes it."""
        return f"{money.shop:.{DECIMALS.get(self.shop, 2)}f}"

    def bag(self, money: Money, code: str = "currency_code") -> Json:
        """Both amounts in the shape of the ``*_set`` fields."""
        places = DECIMALS.get(self.presentment, 2)
        return {
            "shop_money": {"amount": self.text(money), code: self.shop},
            "presentment_money": {
                "amount": f"{money.presentment:.{places}f}",
                code: self.presentment,
            },
        }

    def spread(self, amount: Money, weights: list[Money]) -> list[Money]:
        """Share an amount by weight; running totals are rounded, so nothing is lost or made."""
        whole, so_far, before, shares = total(weights), ZERO, ZERO, []
        for weight in weights:
            so_far += weight
            after = self.times(amount, so_far.shop, whole.shop) if whole else ZERO
            shares.append(after - before)
            before = after
        return shares


def _rounded(amount: Decimal, currency: str) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-DECIMALS.get(currency, 2)), ROUND_HALF_UP)
