"""Find an order, or what belongs to it, by what people know of it."""

from __future__ import annotations

import re

from cli.stack import CommandError, Stack
from fizzbridge.model.entity import EntityRef, Kind
from fizzbridge.runtime import rows

_KEY = re.compile(rf"^(({'|'.join(Kind)})#)?[a-z][a-z0-9-]*/\S+$")


def find(stack: Stack, text: str) -> EntityRef:
    """The order of a number (``#FZ1001``, ``FZ1001``) or key (``shop-uk/5501``).

    With its kind before it a key names anything: ``Customer#shop-uk/77``.

    Raises:
        CommandError: there is none, or several connections have that number.
    """
    if _KEY.match(text):
        ref = EntityRef.parse(text if "#" in text else f"{Kind.ORDER}#{text}")
        if not stack.table.query(str(ref), "PART#", limit=1):
            raise CommandError(f"{ref} was never seen.")
        return ref
    for number in (text, f"#{text}"):
        found = [
            EntityRef.parse(rows.text(row, "sk"))
            for row in stack.table.query(rows.number_pk(number))
        ]
        if len(found) == 1:
            return found[0]
        if found:
            keys = ", ".join(ref.key for ref in found)
            raise CommandError(f"Several orders have the number {number}; name one: {keys}.")
    raise CommandError(
        f"No order has the number {text or '(empty)'}. Try its key: <connection>/<id>."
    )
