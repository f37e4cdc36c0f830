"""The event bus: putting events on EventBridge, or in a list in memory."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from types_boto3_events import EventBridgeClient

CALL_LIMIT_ENTRIES = 10
CALL_LIMIT_BYTES = 1_000_000
"""Of all entries of a call, and so of each."""

_ROUNDS = 3
_PAUSE_S = 0.03
_NAME_LIMIT = 128
_TRANSIENT = frozenset({"InternalFailure", "InternalException", "ThrottlingException"})


@dataclass(frozen=True)
class Entry:
    """One event.

    Attributes:
        source: `fizzbridge.<connection>`.
        detail_type: What happened.
        detail: A JSON object, as text.
    """

    source: str
    detail_type: str
    detail: str

    @property
    def size(self) -> int:
        """Bytes the bus counts for it."""
        return sum(len(text.encode()) for text in (self.source, self.detail_type, self.detail))


class BusUnavailableError(Exception):
    """The bus did not take some entries, or did not say.

    Attributes:
        entries: Those not known to be on the bus; the others are.
    """

    def __init__(self, entries: Sequence[Entry], reason: str) -> None:
        super().__init__(f"{len(entries)} entries not accepted: {reason}")
        self.entries = list(entries)


class EntryRefusedError(ValueError):
    """An entry no bus takes: too large, or its detail is not a JSON object."""


class Bus(Protocol):
    """Where events are put."""

    def put(self, entries: Sequence[Entry]) -> None:
        """Puts entries on the bus, any number of them.

        Raises:
            EntryRefusedError: One of them is malformed; none was sent.
            BusUnavailableError: Some are not known to be on the bus.
        """
        ...


class MemoryBus:
    """A `Bus` that keeps what was put, and hands it on if asked to."""

    def __init__(self, deliver: Callable[[Entry], None] | None = None) -> None:
        self._deliver = deliver
        self._entries: list[Entry] = []
        self._lock = threading.Lock()

    def put(self, entries: Sequence[Entry]) -> None:
        """Keeps the entries, then delivers each."""
        _check(entries)
        with self._lock:
            self._entries += entries
        if self._deliver:
            for entry in entries:
                self._deliver(entry)

    @property
    def entries(self) -> list[Entry]:
        """All entries put so far."""
        with self._lock:
            return list(self._entries)


@dataclass(frozen=True)
class _Failure:
    entry: Entry
    code: str


class EventBridgeBus:
    """A `Bus` on EventBridge."""

    def __init__(
        self, client: EventBridgeClient, name: str, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._client: Any = client
        self._name = name
        self._pause = pause

    def put(self, entries: Sequence[Entry]) -> None:
        """Puts the entries in as few calls as they fit in; those that fail are sent again."""
        _check(entries)
        lost: list[_Failure] = []
        for call in _calls(entries):
            lost += self._put_call(call)
        if lost:
            reasons = sorted({failure.code for failure in lost})
            raise BusUnavailableError([failure.entry for failure in lost], ", ".join(reasons))

    def _put_call(self, entries: Sequence[Entry]) -> list[_Failure]:
        lost: list[_Failure] = []
        for number in range(1, _ROUNDS):
            failures = self._put_once(entries)
            lost += [failure for failure in failures if failure.code not in _TRANSIENT]
            entries = [failure.entry for failure in failures if failure.code in _TRANSIENT]
            if not entries:
                return lost
            self._pause(_PAUSE_S * number * (0.5 + random.random() / 2))  # noqa: S311  # jitter
        return lost + self._put_once(entries)

    def _put_once(self, entries: Sequence[Entry]) -> list[_Failure]:
        try:
            answer = self._client.put_events(Entries=[self._request(entry) for entry in entries])
        except ClientError as error:
            code = str(error.response["Error"]["Code"])
            return [_Failure(entry, code) for entry in entries]
        except BotoCoreError as error:
            # The client has sent it again already; another time would only take longer.
            return [_Failure(entry, type(error).__name__) for entry in entries]
        if not answer["FailedEntryCount"]:
            return []
        return [
            _Failure(entry, result.get("ErrorCode", "unknown"))
            for entry, result in zip(entries, answer["Entries"], strict=True)
            if "EventId" not in result
        ]

    def _request(self, entry: Entry) -> dict[str, str]:
        return {
            "EventBusName": self._name,
            "Source": entry.source,
            "DetailType": entry.detail_type,
            "Detail": entry.detail,
        }


def _calls(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    call: list[Entry] = []
    size = 0
    for entry in entries:
        if len(call) == CALL_LIMIT_ENTRIES or size + entry.size > CALL_LIMIT_BYTES:
            yield call
            call, size = [], 0
        call.append(entry)
        size += entry.size
    if call:
        yield call


def _check(entries: Sequence[Entry]) -> None:
    for entry in entries:
        if entry.size > CALL_LIMIT_BYTES:
            raise EntryRefusedError(f"{entry.detail_type}: {entry.size} bytes are too many")
        for name in (entry.source, entry.detail_type):
            if not 0 < len(name) <= _NAME_LIMIT:
                raise EntryRefusedError(f"{entry.detail_type}: source and detail type need a text")
        if not _is_object(entry.detail):
            raise EntryRefusedError(f"{entry.detail_type}: the detail is not a JSON object")


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text, parse_constant=_refuse_constant), dict)
    except ValueError:
        return False


def _refuse_constant(name: str) -> NoReturn:
    # Python reads NaN and Infinity, JSON has neither.
    raise ValueError(name)
