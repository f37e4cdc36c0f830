"""Levies on drinks: by volume or by container, charged on delivery or paid earlier in the chain."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from fizzbridge.model.money import to_minor_unit, written
from fizzbridge.model.scheme import Measure, Scheme, SchemeKind
from fizzbridge.model.working import Working
from fizzbridge.trade.deposits import Charge, MissingFactsError, applies, priced
from fizzbridge.trade.packs import Counted, fl_oz, litres


def levies(counted: Counted, schemes: Sequence[Scheme], currency: str) -> list[Charge]:
    """The levies of one line.

    Raises:
        MissingFactsError: the catalogue lacks what a levy goes by.
        ValueError: a scheme is in another currency.
    """
    item = counted.sold.item
    return [
        _charge(scheme, counted, currency)
        for scheme in schemes
        if scheme.kind is SchemeKind.LEVY and applies(scheme, item)
    ]


def _charge(scheme: Scheme, counted: Counted, currency: str) -> Charge:
    count, quantity = 1, volume(scheme, counted)
    if scheme.per is Measure.CONTAINER:
        count = counted.quantity.base
    amount = priced(scheme, quantity, currency)
    working = Working(
        rule="levy",
        line=counted.line_id,
        text=_text(scheme, quantity, currency),
        amount=amount,
        source=scheme.name,
        valid_from=scheme.valid_from,
    )
    return Charge(scheme, count, amount, working)


def memo(scheme: Scheme, litres: Decimal, currency: str) -> Working:
    """A levy the packager or importer has paid: shown, and charged to nobody."""
    return Working(
        rule="levy memo",
        text=f"{_text(scheme, litres, currency)}, paid before it came to us",
        amount=due(litres, scheme, currency),
        source=scheme.name,
        valid_from=scheme.valid_from,
    )


def _text(scheme: Scheme, quantity: Decimal, currency: str) -> str:
    rate = written(scheme.amount, currency)
    return f"{quantity.normalize():f} {scheme.per} × {rate} {currency}"


def volume(scheme: Scheme, counted: Counted) -> Decimal:
    """How much of a line a rate is for, in the rate's own measure.

    Raises:
        MissingFactsError: the rate goes by volume and the catalogue has none.
    """
    if scheme.per is Measure.CONTAINER:
        return Decimal(counted.quantity.base)
    item, base = counted.sold.item, counted.quantity.base
    if item.volume_ml is None:
        raise MissingFactsError(["volume_ml"])
    return litres(base, item) if scheme.per is Measure.LITRE else fl_oz(item.volume_ml) * base


def due(litres: Decimal, scheme: Scheme, currency: str) -> Decimal:
    """What is due on all litres of a return period, rounded once; exports are negative litres."""
    return to_minor_unit(litres * scheme.amount, currency)
