"""One step of arithmetic, kept so that people can follow how an amount came about."""

from __future__ import annotations

from datetime import date

from fizzbridge.model.base import Amount, Frozen


class Working(Frozen):
    """What a rule made of an order, in words and figures.

    ``text`` holds codes, quantities and amounts, never persons.
    """

    rule: str
    """The rule's name, in a word: ``deposit``, ``credit``, ``pack``."""
    line: str = ""
    """The line it is about; empty where it is about the whole document."""
    text: str
    amount: Amount | None = None
    """What came out, in the document's currency, where that is an amount."""
    source: str = ""
    """The row of configuration, or the record, the figures were taken from."""
    valid_from: date | None = None
    """First day that row holds, where it is dated."""
