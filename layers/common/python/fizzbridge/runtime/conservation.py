"""Conservation at the front door: what was accepted has come to something, and all of it did.

A delivery has one line, written by the function that received it; one that was spilled has a second
one, under the same correlation id, by the function that finished it. A thing told is counted where
it is told and where it comes to something, and the figures of each delivery are written apart from
its line: what one of them lacks, the other shows.

Pure, and of log lines only: the hourly check reads an hour of them, the command any time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from fizzbridge.observability import Metric
from fizzbridge.runtime.intake import DELIVERY, TOLD

COMES_TO = (
    Metric.MERGED,
    Metric.EQUAL,
    Metric.OLDER,
    Metric.TIED,
    Metric.IGNORED,
    Metric.HINTED,
    Metric.QUARANTINED,
    Metric.SPILLED,
)
"""What a thing told may come to. HINTED: it was only named, and pull was asked to read it."""

FINISHED = frozenset({"drained", "quarantined"})
ENDS = ("taken", "spilled", "refused", "answered", "put_off", *sorted(FINISHED))
"""What may become of a delivery; the first two are accepted, the last two end a spilled one."""

MARGIN = timedelta(minutes=1)
"""The line and the figures of one delivery are written within it, whichever comes first."""

_ACCEPTED = frozenset({"taken", "spilled"})


@dataclass(frozen=True)
class Window:
    """What time is judged. Lines are to be read from ``MARGIN`` before it until as much after.

    Attributes:
        since: what was received from then on ...
        until: ... and before then.
        patience: a spilled delivery may wait so long for pull; what was spilled longer ago than
            that, and longer before ``since``, is judged no more.
    """

    since: datetime
    until: datetime
    patience: timedelta = timedelta(0)

    def holds(self, moment: datetime) -> bool:
        """Whether what happened then is judged."""
        return self.since <= moment < self.until

    def is_overdue(self, spilled_at: datetime) -> bool:
        """Whether a delivery spilled then should have been finished within this window."""
        return self.since - self.patience <= spilled_at < self.until - self.patience


EVER = Window(
    datetime.min.replace(tzinfo=UTC) + timedelta(days=1), datetime.max.replace(tzinfo=UTC)
)


@dataclass
class Balance:
    """One connection's account. Of what does not add up it has the correlation ids.

    Attributes:
        deliveries: how many were received, by what became of them; ``received`` is all of them.
        told: how many things accepted deliveries tell, and what they come to.
        uneven: accounts that do not add up: something told has come to nothing, or to two things.
        silent: deliveries that were received and have no line.
        repeated: deliveries with several lines.
        unreceived: deliveries with a line and no figures.
        unfinished: deliveries spilled longer ago than they may wait, and not finished.
    """

    deliveries: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    uneven: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    unreceived: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)

    @property
    def imbalance(self) -> int:
        """How many deliveries do not add up; nought is as it should be."""
        return sum(map(len, self.wrong.values()))

    @property
    def wrong(self) -> Mapping[str, Sequence[str]]:
        """Correlation ids by what is wrong."""
        kinds = ("uneven", "silent", "repeated", "unreceived", "unfinished")
        return {kind: found for kind in kinds if (found := getattr(self, kind))}


@dataclass
class _Seen:
    """The lines of one delivery."""

    figures: list[datetime] = field(default_factory=list)
    received: list[tuple[datetime, Mapping[str, Any]]] = field(default_factory=list)
    finished: list[tuple[datetime, Mapping[str, Any]]] = field(default_factory=list)

    @property
    def begun(self) -> datetime:
        """When it was received, or finished where its beginning is not among the lines."""
        return min(self.figures + [at for at, _ in self.received] or [self.finished[0][0]])

    @property
    def last(self) -> Mapping[str, Any] | None:
        """The line that counts: how it was finished, where it was left to pull."""
        found = self.finished or self.received
        return found[-1][1] if found else None


def balance(lines: Iterable[Mapping[str, Any]], window: Window = EVER) -> dict[str, Balance]:
    """The account of every connection that log lines speak of.

    Args:
        lines: JSON lines of webhook and pull functions, in any order; others are passed over.
        window: what time is judged.
    """
    deliveries: dict[tuple[str, str], _Seen] = defaultdict(_Seen)
    found: dict[str, Balance] = defaultdict(Balance)
    for line in lines:
        key = str(line.get("connection", "")), str(line.get("correlation_id", ""))
        if "_aws" in line:
            # Figures without an id are of polls, or were written before figures had any.
            if Metric.RECEIVED in line and key[1]:
                deliveries[key].figures += [moment_of(line)] * sum(line[Metric.RECEIVED])
        elif line.get("message") == DELIVERY:
            seen = deliveries[key]
            into = seen.finished if line["outcome"] in FINISHED else seen.received
            into.append((moment_of(line), line))
        elif TOLD in line and window.holds(moment_of(line)) and not _is_even(line):
            found[key[0]].uneven.append(key[1])
    for (connection, name), seen in deliveries.items():
        seen.finished.sort(key=lambda one: one[0])
        _enter(found[connection], name, seen, window)
    return dict(found)


def _enter(account: Balance, name: str, seen: _Seen, window: Window) -> None:
    left = [at for at, line in seen.received if line["outcome"] == "spilled"]
    if left and window.is_overdue(min(left)) and not seen.finished:
        account.unfinished.append(name)
    if not window.holds(seen.begun):
        return
    if seen.figures:
        account.deliveries["received"] += 1
    account.deliveries.update({line["outcome"] for _, line in seen.received + seen.finished})
    if seen.figures and not seen.received:
        account.silent.append(name)
    if len(seen.received) > 1:
        account.repeated.append(name)
    if seen.received and not seen.figures:
        account.unreceived.append(name)
    accounts = [line for _, line in seen.received + seen.finished if TOLD in line]
    accepted = [line for _, line in seen.received if line["outcome"] in _ACCEPTED]
    if not all(map(_is_even, accounts)) or any(TOLD not in line for line in accepted):
        account.uneven.append(name)
    if seen.last and TOLD in seen.last:
        account.told.update({one: seen.last[one] for one in (TOLD, *COMES_TO) if one in seen.last})


def _is_even(line: Mapping[str, Any]) -> bool:
    return bool(line[TOLD] == sum(line.get(one, 0) for one in COMES_TO))


def moment_of(line: Mapping[str, Any]) -> datetime:
    """When a line, or figures, were written."""
    if "_aws" in line:
        return datetime.fromtimestamp(line["_aws"]["Timestamp"] / 1000, UTC)
    return datetime.fromisoformat(line["timestamp"])


def gist(line: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an account needs of a line: an hour of them must fit in a function."""
    kept = {name: line[name] for name in _KEPT if name in line}
    return kept | ({"_aws": {"Timestamp": line["_aws"]["Timestamp"]}} if "_aws" in line else {})


_KEPT = (
    *("connection", "correlation_id", "message", "timestamp", "outcome", Metric.RECEIVED, TOLD),
    *COMES_TO,
)
