"""Money: a decimal amount, an ISO 4217 currency, and that currency's minor unit."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from fizzbridge.model.base import Amount, Frozen

# ISO 4217 list one, amendment 179: circulating currencies; minor unit 2 unless listed below.
_CODES = frozenset(
    """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD
    CDF CHF CLF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP
    GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD
    KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN
    NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP
    SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYI UYU UYW UZS
    VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
    """.split()
)
_MINOR = (
    dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0)
    | dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3)
    | dict.fromkeys("CLF UYW".split(), 4)
)


def _known(code: str) -> str:
    if code not in _CODES:
        msg = f"{code!r} is not an ISO 4217 currency"
        raise ValueError(msg)
    return code


Currency = Annotated[str, AfterValidator(_known)]


@cache
def minor_unit(currency: str) -> Decimal:
    """The smallest amount of a currency: 0.01 for GBP, 1 for JPY, 0.001 for KWD."""
    return Decimal(1).scaleb(-_MINOR.get(currency, 2))


def to_minor_unit(amount: Decimal, currency: str) -> Decimal:
    """Round half up to the currency's minor unit."""
    return amount.quantize(minor_unit(currency), rounding=ROUND_HALF_UP)


def written(amount: Decimal, currency: str) -> str:
    """An amount or a rate for people: every digit it has, and no fewer than its currency has."""
    digits = -int(minor_unit(currency).as_tuple().exponent)
    return f"{amount:f}" if -int(amount.as_tuple().exponent) > digits else f"{amount:.{digits}f}"


def exact_in(amount: Decimal, currency: str, field: str) -> Decimal:
    """The amount written with the currency's digits.

    Raises:
        ValueError: it has a part smaller than the minor unit; nothing is rounded silently.
    """
    written = to_minor_unit(amount, currency)
    if written != amount:
        msg = f"{field}: {amount} has more digits than {currency} has"
        raise ValueError(msg)
    return written


class Money(Frozen):
    """An amount that travels without a document."""

    amount: Amount
    currency: Currency

    @model_validator(mode="after")
    def _in_minor_units(self) -> Self:
        object.__setattr__(self, "amount", exact_in(self.amount, self.currency, "amount"))
        return self

    def __add__(self, other: Money) -> Money:
        """The sum.

        Raises:
            ValueError: the currencies differ.
        """
        if other.currency != self.currency:
            msg = f"cannot add {other.currency} to {self.currency}"
            raise ValueError(msg)
        return Money(amount=self.amount + other.amount, currency=self.currency)
