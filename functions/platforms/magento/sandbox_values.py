"""Numbers, absent values and times as the sandbox shop writes them."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Json = dict[str, Any]

CENT = Decimal("0.01")
ZERO = Decimal(0)


class _Null:
    """A null the shop shows; None is a field it leaves out."""

    def __deepcopy__(self, _: Any) -> _Null:
        return self


NULL = _Null()


class RefusedError(ValueError):
    """The shop would not do this, or the request for it is malformed."""


def known(given: Any, keys: set[str], what: str) -> None:
    """Refuse keys that mean nothing here, so that a typing error in a test is seen."""
    if not isinstance(given, dict):
        raise RefusedError(f"{what} is no object")
    if unknown := set(given) - keys:
        raise RefusedError(f"unknown in {what}: {', '.join(sorted(unknown))}")


def money(value: Decimal) -> Decimal:
    """An amount in cents."""
    return value.quantize(CENT, ROUND_HALF_UP)


def decimal(value: Any) -> Decimal:
    """A number of a draft or a call, exact."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise RefusedError(f"no number: {value!r}")
    try:
        number = Decimal(str(value))
    except ArithmeticError as error:
        raise RefusedError(f"no number: {value!r}") from error
    if not number.is_finite():
        raise RefusedError(f"no number: {value!r}")
    return number


def second(at: datetime) -> str:
    """UTC in whole seconds, without saying so."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def shown(value: Any, *, is_noisy: bool = False) -> Any:
    """What REST shows: numbers as JSON has them, no empty fields, nothing of the shop's own.

    Args:
        value: a body as the shop keeps it.
        is_noisy: amounts come with the rest that floats carry.
    """
    if isinstance(value, Decimal):
        if value == value.to_integral_value():
            return int(value)
        return math.nextafter(float(value), 0) if is_noisy else float(value)
    if isinstance(value, dict):
        return {
            name: shown(one, is_noisy=is_noisy)
            for name, one in value.items()
            if one is not None and not name.startswith("_")
        }
    if isinstance(value, list):
        return [shown(one, is_noisy=is_noisy) for one in value]
    return None if value is NULL else value


def street(given: Json) -> list[str]:
    """The lines of an address that are filled."""
    return [line for line in (given.get("address_1"), given.get("address_2")) if line]


def with_base(body: Json, names: str, rate: Decimal) -> None:
    """Beside each of these amounts the same in the currency of the website."""
    for name in names.split():
        if (value := body.get(name)) is not None:
            body[BASE.get(name, f"base_{name}")] = value if rate == 1 else money(value / rate)


# The vendor shortened one of them.
BASE = {
    "shipping_discount_tax_compensation_amount": "base_shipping_discount_tax_compensation_amnt",
    "weee_tax_applied_row_amount": "base_weee_tax_applied_row_amnt",
}
