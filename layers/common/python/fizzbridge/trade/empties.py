"""Empties: what an outlet has of our containers, what it brings back, and what that is worth.

The ledger is a sum over rows, one for each document and type of container, never a counter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from fizzbridge.model.money import to_minor_unit, written
from fizzbridge.model.scheme import Scheme, SchemeKind
from fizzbridge.model.working import Working
from fizzbridge.trade.deposits import Charge, priced

PROPERTY = "empties "
"""What the name of an order's property begins with that says how many empties come back."""
_MOST_DIGITS = 9
"""Of a count: a buyer types it, and money of a longer one is no longer exact."""


@dataclass(frozen=True)
class Movement:
    """One row of the ledger.

    Attributes:
        container: its type.
        shipped: pieces that left with goods.
        returned: pieces that came back.
        written_off: pieces nobody expects any more.
        rate: the deposit for one.
        day: whose rate that was.
    """

    container: str
    shipped: int
    returned: int
    written_off: int
    rate: Decimal
    day: date


@dataclass(frozen=True)
class Balance:
    """What stands between us and an outlet for one type of container.

    Attributes:
        container: its type.
        shipped: pieces, in all.
        returned: pieces, in all.
        written_off: pieces, in all.
        money: deposits held for those outstanding.
    """

    container: str
    shipped: int = 0
    returned: int = 0
    written_off: int = 0
    money: Decimal = Decimal(0)

    @property
    def outstanding(self) -> int:
        """Pieces the outlet has of ours; negative where it brought more."""
        return self.shipped - self.returned - self.written_off


def ledger(movements: Iterable[Movement]) -> dict[str, Balance]:
    """Balances by type of container; the order of rows does not matter."""
    found: dict[str, Balance] = {}
    for row in movements:
        before = found.get(row.container, Balance(row.container))
        moved = row.shipped - row.returned - row.written_off
        found[row.container] = Balance(
            container=row.container,
            shipped=before.shipped + row.shipped,
            returned=before.returned + row.returned,
            written_off=before.written_off + row.written_off,
            money=before.money + moved * row.rate,
        )
    return found


def liability(balances: Iterable[Balance]) -> Decimal:
    """Deposits held in all."""
    return sum((one.money for one in balances), Decimal(0))


def over_return(balance: Balance, brought: int, percent: Decimal) -> int:
    """Pieces brought beyond what is accepted; nought is fine.

    Args:
        balance: before they came.
        brought: how many came.
        percent: what is accepted beyond those outstanding, of all that was shipped.
    """
    accepted = balance.outstanding + int(balance.shipped * percent / 100)
    return max(brought - max(accepted, 0), 0)


def returned(properties: Mapping[str, str]) -> dict[str, int]:
    """Empties an order says it brings back, by type: the property ``empties crate-12``.

    Raises:
        ValueError: a count is no whole number of pieces.
    """
    found: dict[str, int] = {}
    for name, value in properties.items():
        if not name.startswith(PROPERTY):
            continue
        digits = value.strip()
        if not digits.isascii() or not digits.isdigit() or len(digits) > _MOST_DIGITS:
            # What the buyer wrote is not repeated: it may be anything, a name too.
            wanted = f"a whole number of pieces, of {_MOST_DIGITS} digits at most"
            raise ValueError(f"property '{name}' is not {wanted}")
        container = name.removeprefix(PROPERTY).strip()
        found[container] = found.get(container, 0) + int(digits)
    return {container: count for container, count in found.items() if count}


def refunds(brought: Mapping[str, int], schemes: Sequence[Scheme], currency: str) -> list[Charge]:
    """What empties are worth: the deposit, and the redeemer's handling fee where there is one.

    Raises:
        ValueError: no scheme in force takes a type back, or several do.
    """
    found = []
    for container, count in brought.items():
        fitting = [
            one for one in schemes if one.kind is SchemeKind.DEPOSIT and one.takes(container)
        ]
        if len(fitting) != 1:
            many = "several schemes take" if fitting else "no scheme takes"
            raise ValueError(f"empties {container}: {many} them back")
        found += list(_refund(fitting[0], container, count, currency))
    return found


def _refund(scheme: Scheme, container: str, count: int, currency: str) -> Iterable[Charge]:
    for rule, rate in (("deposit refund", scheme.amount), ("handling", scheme.handling_fee)):
        if rate is None:
            continue
        paid = scheme.model_copy(update={"amount": rate})
        amount = priced(paid, count, currency)
        working = Working(
            rule=rule,
            text=f"{count} {container} × {written(rate, currency)} {currency}",
            amount=amount,
            source=scheme.name,
            valid_from=scheme.valid_from,
        )
        yield Charge(paid, count, amount, working)


def unclaimed(count: int, scheme: Scheme, currency: str) -> tuple[Decimal, Decimal]:
    """Deposits nobody claimed, and the part of them that is due to the state."""
    amount = priced(scheme, count, currency)
    return amount, to_minor_unit(amount * (scheme.unclaimed_share or 0), currency)
