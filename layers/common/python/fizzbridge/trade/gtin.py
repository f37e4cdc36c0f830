"""Trade item numbers (GS1): one number space, kept as text of 14 digits.

The check digits are python-stdnum's. Functions do not import this module: the catalogue's numbers
are checked when it is read, and a number that is in no catalogue matches nothing anyway.
"""

from __future__ import annotations

from stdnum import ean
from stdnum.exceptions import ValidationError

LENGTHS = frozenset({8, 12, 13, 14})
DIGITS = 14
SAME_ITEM = "12345678"
"""Indicators of a case of identical items; 9 is variable measure, 0 only padding."""


def gtin14(code: str) -> str:
    """A GTIN-8, -12, -13 or -14 as 14 digits.

    Raises:
        ValueError: its length, letters or check digit are wrong.
    """
    number = code.strip()
    # python-stdnum passes over separators: what is kept as text must be digits alone.
    if not _is_digits(number):
        raise ValueError(f"'{code}' has other than digits; a GTIN has digits alone")
    if len(number) not in LENGTHS:
        raise ValueError(f"'{code}' has {len(number)} digits; a GTIN has 8, 12, 13 or 14")
    try:
        # Left padding changes no check digit: weights count from the right.
        ean.validate(number.zfill(DIGITS))
    except ValidationError as error:
        raise ValueError(f"'{code}' is no GTIN: {error}") from error
    return number.zfill(DIGITS)


def check_digit(body: str) -> str:
    """The digit that follows a body of digits: of a GTIN, or of an SSCC."""
    if not _is_digits(body):
        raise ValueError(f"'{body}' has other than digits")
    return ean.calc_check_digit(body)


def case_gtin(inner: str, indicator: int) -> str:
    """The GTIN-14 of a case of identical items.

    Args:
        inner: GTIN of one of them.
        indicator: 1 to 8; it has no meaning but to tell cases of one item apart.

    Raises:
        ValueError: the indicator is another, or the GTIN is wrong.
    """
    if str(indicator) not in SAME_ITEM:
        raise ValueError(f"indicator {indicator} is not one of 1 to 8")
    body = f"{indicator}{gtin14(inner)[1:-1]}"
    return body + check_digit(body)


def is_case_of(case: str, inner: str) -> bool:
    """Whether a GTIN-14 with an indicator is that of a case of an item."""
    outer, item = gtin14(case), gtin14(inner)
    return outer[0] in SAME_ITEM and outer[1:-1] == item[1:-1]


def sscc(body: str) -> str:
    """The 18 digits of a logistic unit, a pallet for one, from the 17 before its check digit."""
    if len(body) != 17:
        raise ValueError(f"'{body}' has {len(body)} digits; an SSCC has 17 before its check digit")
    return body + check_digit(body)


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
