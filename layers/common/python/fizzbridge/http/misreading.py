"""Telling an answer of an unexpected shape from a bug of ours, by what reading it raised.

Adapters read answers as their vendors document them, and check nothing twice. What is not as it
should be shows as one of a few exceptions in their code.
"""

from __future__ import annotations

import traceback
from decimal import Decimal

from pydantic import ValidationError

from fizzbridge.wire import places

_OF_READING = (LookupError, TypeError, AttributeError, ValueError, ArithmeticError)
_OF_ANSWERS = (dict, list, str, int, Decimal, type(None))
_ADAPTERS = "platforms."


def misreading(error: BaseException) -> str:
    """What an answer lacks and where our code noticed, without a value; empty for a bug of ours.

    Only an exception that went through an adapter counts, and none of our own classes.
    """
    if not isinstance(error, _OF_READING) or type(error).__module__.startswith("fizzbridge."):
        return ""
    if isinstance(error, AttributeError) and not isinstance(error.obj, _OF_ANSWERS):
        return ""
    place, literals = "", ()
    for frame, line in traceback.walk_tb(error.__traceback__):
        module = frame.f_globals.get("__name__", "")
        if module.startswith(_ADAPTERS):
            place, literals = f"{module}:{line}", frame.f_code.co_consts
    return f"{_lack(error, literals)}, {place}" if place else ""


def _lack(error: BaseException, literals: tuple[object, ...]) -> str:
    if isinstance(error, ValidationError):
        return places(error)
    # A key our code spells out is a field's name; any other may be a person's.
    if isinstance(error, KeyError) and error.args and error.args[0] in literals:
        return f"no {error.args[0]}"
    return type(error).__name__
