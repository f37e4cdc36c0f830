"""Plan: what a converge would write, read from the target now and written nowhere.

The adapter's own code runs, with a client that lets reads through and keeps writes back. Where it
needs the answer of a write to go on, the plan ends and says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fizzbridge.http.client import Answer, ClientAround, VendorClient

FIELDS = 400
"""Fields of one call that are shown; an order of hundreds of lines has more."""


@dataclass(frozen=True)
class Field:
    """One field a call would write.

    Attributes:
        name: with dots into what it is in: ``salesOrderLines.0.quantity``.
        becomes: what it would be.
        was: what it is now; None where the call does not say.
    """

    name: str
    becomes: str
    was: str | None = None


@dataclass(frozen=True)
class Step:
    """One call that would be made."""

    call: str
    fields: tuple[Field, ...]


@dataclass
class Plan:
    """What a converge would do.

    Attributes:
        does: ``nothing``, ``create``, ``change``, ``cancel``, ``held`` or ``refused``.
        why: in a sentence.
        steps: the calls that would write, in order.
        is_whole: whether nothing follows that depends on the vendor's answer.
    """

    does: Literal["nothing", "create", "change", "cancel", "held", "refused"]
    why: str = ""
    steps: tuple[Step, ...] = ()
    is_whole: bool = True


class PlanningClient(ClientAround):
    """Reads through a client; of what it is asked to write it keeps a note."""

    def __init__(self, inner: VendorClient) -> None:
        super().__init__(inner)
        self.steps: list[Step] = []

    def request(
        self,
        method: str,
        path: str,
        *,
        writes: bool,
        json: Any = None,
        content: bytes | None = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        was: Mapping[str, Any] | None = None,
        shown: Any = None,
    ) -> Answer:
        """Make a call that reads; of one that writes take a note, and answer it with nothing."""
        if not writes:
            return self._inner.request(
                method,
                path,
                writes=False,
                json=json,
                content=content,
                params=params,
                headers=headers,
            )
        now = dict(_leaves(was or {}))
        fields = [
            Field(name, _text(value), _text(now[name]) if name in now else None)
            for name, value in _leaves(shown if shown is not None else json)
        ]
        self.steps.append(Step(f"{method} {path}", tuple(fields[:FIELDS])))
        return Answer(204, {}, None, "")


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    inner = (
        value.items()
        if isinstance(value, Mapping)
        else enumerate(value)
        if isinstance(value, list | tuple)
        else None
    )
    if inner is None:
        yield name, value
        return
    for key, one in inner:
        yield from _leaves(one, f"{name}.{key}" if name else str(key))


def _text(value: Any) -> str:
    words = {None: "-", True: "yes", False: "no"}
    return words[value] if value is None or isinstance(value, bool) else str(value)
