"""Dead-letter queues: look without losing anything, send back, or give up with a reason.

Parked work leaves a pointer: the entity and the connection. Anything else is a message that killed
its function, or an event a rule could not deliver; it goes back to the queue it came from. The move
is our own receive, send, delete, because what a pointer needs is more than to be moved.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Group

from cli import links
from cli import plan as planning
from cli.asked import ask
from cli.stack import CommandError, Stack
from cli.tool import ConnectionOption, DryRunOption, Tool, YesOption, command, grid
from fizzbridge.model.entity import EntityRef, Kind
from fizzbridge.runtime import rows
from fizzbridge.state import ConditionFailedError, Equals, Write
from fizzbridge.state.moments import to_text

app = typer.Typer(no_args_is_help=True, help="Dead-letter queues.")

HIDDEN_S = 900
"""How long a message is out of others' sight while we hold it; longer than any look takes."""
BATCH = 10
CORE_QUEUES = {"AssessDlqUrl": "assess", "RecordDlqUrl": "record", "RuleDlqUrl": "rules"}
PULL_TYPES = frozenset({"delivery", "hint", "poll", "continue"})


class Sort(StrEnum):
    """What a dead letter is."""

    POINTER = "parked"
    PULL = "pull"
    EVENT = "event"


@dataclass(frozen=True)
class Letter:
    """One message in a dead-letter queue, held by us."""

    queue: str
    """The connection's name, or one of ``CORE_QUEUES``."""
    url: str
    id: str
    receipt: str
    body: str
    attributes: dict[str, str]
    sent_at: datetime

    @property
    def content(self) -> dict[str, Any]:
        """The message; empty where it is not a JSON object."""
        try:
            content = json.loads(self.body)
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}

    @property
    def sort(self) -> Sort:
        """What the message is."""
        content = self.content
        if {"kind", "key", "connection"} <= content.keys():
            return Sort.POINTER
        return Sort.PULL if content.get("type") in PULL_TYPES else Sort.EVENT

    @property
    def reason(self) -> str:
        """Why it is here, in a word."""
        for name in ("reason", "ERROR_CODE"):
            if found := self.attributes.get(name):
                return found
        return f"failed {self.sort}"

    @property
    def ref(self) -> EntityRef | None:
        """The entity it is about, where it says so."""
        named = self.content.get("detail", self.content)
        if not isinstance(named, dict) or not {"kind", "key"} <= named.keys():
            return None
        return EntityRef(kind=Kind(named["kind"]), key=named["key"])

    def shown(self) -> dict[str, Any]:
        """What people may see of it: codes and ids, no delivery's content."""
        content = self.content
        return {
            "id": self.id,
            "queue": self.queue,
            "sort": str(self.sort),
            "reason": self.reason,
            "entity": str(self.ref or ""),
            "what": str(content.get("detail-type") or content.get("type") or ""),
            "message": str(content.get("reason", "")),
            "blame": self.attributes.get("blame", ""),
            "sent_at": to_text(self.sent_at),
        }


def queues(stack: Stack, connection: str | None) -> dict[str, str]:
    """Addresses of the dead-letter queues by name: all, or a connection's own."""
    if connection is not None:
        return {connection: stack.connection(connection)["DlqUrl"]}
    core = {
        name: stack.core[output] for output, name in CORE_QUEUES.items() if output in stack.core
    }
    own = {
        name: outputs["DlqUrl"]
        for name, outputs in stack.connections.items()
        if "DlqUrl" in outputs
    }
    return core | own


def peek(stack: Stack, connection: str | None) -> list[Letter]:
    """Every dead letter, oldest first; each is back in its queue afterwards."""
    named = queues(stack, connection)

    def one(name: str) -> list[Letter]:
        held: list[Letter] = []
        try:
            for batch in _held(stack, name, named[name]):
                held += batch
        finally:
            put_back(stack, held)
        return held

    with ThreadPoolExecutor(len(named) or 1) as pool:
        return sorted(
            (letter for found in pool.map(one, named) for letter in found),
            key=lambda letter: letter.sent_at,
        )


def _held(stack: Stack, name: str, url: str) -> Iterator[list[Letter]]:
    """Take hold of batches until the queue has nothing we have not seen."""
    seen: set[str] = set()
    while True:
        answer = stack.sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=BATCH,
            VisibilityTimeout=HIDDEN_S,
            WaitTimeSeconds=stack.queue_wait_s,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        )
        batch = [_letter(name, url, message) for message in answer.get("Messages", [])]
        fresh = [letter for letter in batch if letter.id not in seen]
        seen |= {letter.id for letter in batch}
        if fresh:
            yield fresh
        if len(fresh) < len(batch) or not batch:
            return


def _letter(name: str, url: str, message: Any) -> Letter:
    own = {
        key: str(value.get("StringValue", ""))
        for key, value in message.get("MessageAttributes", {}).items()
    }
    system = message.get("Attributes", {})
    return Letter(
        queue=name,
        url=url,
        id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        body=message["Body"],
        attributes=own | {key: str(value) for key, value in system.items()},
        sent_at=datetime.fromtimestamp(int(system.get("SentTimestamp", "0")) / 1000, UTC),
    )


def put_back(stack: Stack, letters: Iterable[Letter]) -> None:
    """Make held letters visible again."""
    by_queue: dict[str, list[Letter]] = {}
    for letter in letters:
        by_queue.setdefault(letter.url, []).append(letter)
    for url, held in by_queue.items():
        for start in range(0, len(held), BATCH):
            stack.sqs.change_message_visibility_batch(
                QueueUrl=url,
                Entries=[
                    {"Id": str(place), "ReceiptHandle": letter.receipt, "VisibilityTimeout": 0}
                    for place, letter in enumerate(held[start : start + BATCH])
                ],
            )


def work_off(
    stack: Stack,
    connection: str | None,
    act: Callable[[Letter], str],
    *,
    ids: frozenset[str] = frozenset(),
    per_second: float,
) -> dict[str, int]:
    """Do something with each dead letter and delete it.

    Args:
        stack: the stack.
        connection: only its queue.
        act: what to do; returns what became of the letter. A letter is deleted only after it.
        ids: only these messages; none means all.
        per_second: at most so many a second.

    Returns:
        How many letters became what.
    """
    counts: dict[str, int] = {}
    for name, url in queues(stack, connection).items():
        others: list[Letter] = []
        try:
            for batch in _held(stack, name, url):
                # What is not done when something fails comes back at once, not after HIDDEN_S.
                others += batch
                for letter in batch:
                    if ids and letter.id not in ids:
                        continue
                    outcome = act(letter)
                    stack.sqs.delete_message(QueueUrl=url, ReceiptHandle=letter.receipt)
                    others.remove(letter)
                    counts[outcome] = counts.get(outcome, 0) + 1
                    time.sleep(1 / per_second)
        finally:
            put_back(stack, others)
    return counts


def redrive(stack: Stack, letter: Letter, now: datetime) -> str:
    """Give a letter's work another chance."""
    if letter.sort is Sort.POINTER and letter.ref:
        return _unpark(stack, letter, letter.ref, now)
    stack.sqs.send_message(QueueUrl=_way_back(stack, letter), MessageBody=letter.body)
    return "sent back"


def _unpark(stack: Stack, letter: Letter, ref: EntityRef, now: datetime) -> str:
    connection = letter.content["connection"]
    try:
        stack.table.write(
            Write(
                str(ref),
                rows.link_sk(connection),
                set={
                    "status": "behind",
                    "attempts": 0,
                    "behind_shard": rows.shard(ref, connection),
                    "behind_since": to_text(now),
                    "updated_at": to_text(now),
                },
                remove=("reason", "cause"),
                when=Equals("status", "parked"),
            )
        )
    except ConditionFailedError:
        # Changed content or another redrive set it going already: the pointer is history.
        return "not parked any more"
    links.tell(stack, connection, ref)
    return "sent back"


def _way_back(stack: Stack, letter: Letter) -> str:
    """The queue a failed message came from."""
    arn = letter.attributes.get("DeadLetterQueueSourceArn") or letter.attributes.get("TARGET_ARN")
    if arn:
        return stack.sqs.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
    core = {"assess": "AssessQueueUrl", "record": "RecordQueueUrl"}.get(letter.queue)
    if core:
        return stack.core[core]
    outputs = stack.connections.get(letter.queue, {})
    output = "PullQueueUrl" if letter.sort is Sort.PULL else "DocumentsQueueUrl"
    if output not in outputs:
        raise CommandError(
            f"Message {letter.id} in {letter.queue} does not say where it came from. "
            "Look at it with: fizzbridge dlq show"
        )
    return outputs[output]


def discard(stack: Stack, letter: Letter, why: str, now: datetime) -> str:
    """Give a letter up; its entity's timeline keeps the reason."""
    if letter.ref:
        details = {"reason": letter.reason, "why": why, "queue": letter.queue}
        stack.table.write(
            rows.timeline(letter.ref, now, f"discard-{letter.id}", "discarded", details.items())
        )
    return "discarded"


IdsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[ID]...", help="Only these messages; default: all.")
]
RateOption = Annotated[
    float, typer.Option("--per-second", min=0.1, max=1000, help="At most so many a second.")
]


@command(app, "list")
def list_command(tool: Tool, connection: ConnectionOption = None) -> None:
    """Show what is in the dead-letter queues, by reason."""
    with tool.waiting("looking into the queues"):
        letters = [letter.shown() for letter in peek(tool.stack, connection)]
    if not letters:
        tool.answer([], "The dead-letter queues are empty.")
        return
    groups: dict[str, list[dict[str, Any]]] = {}
    for letter in letters:
        groups.setdefault(letter["reason"], []).append(letter)
    columns = ("queue", "entity", "what", "message", "blame", "sent_at", "id")
    tool.answer(
        letters,
        Group(
            *(
                grid(
                    *columns,
                    title=f"{reason}: {len(members)}",
                    rows=[[member[column] for column in columns] for member in members],
                )
                for reason, members in sorted(groups.items())
            )
        ),
    )


@command(app, "show")
def show_command(
    tool: Tool,
    message: Annotated[str, typer.Argument(metavar="ID", help="Id of a message.")],
    connection: ConnectionOption = None,
) -> None:
    """Show one dead letter."""
    with tool.waiting("looking into the queues"):
        letters = peek(tool.stack, connection)
    found = next((letter for letter in letters if letter.id == message), None)
    if found is None:
        raise CommandError(f"No dead letter has the id {message}. See: fizzbridge dlq list")
    data = found.shown()
    if found.sort is not Sort.PULL:  # a delivery's content is the vendor's, with people in it
        data["content"] = found.content
    shown = {**data, "content": json.dumps(data.get("content", {}), indent=2)}
    tool.answer(data, grid("", "", rows=shown.items()))


@command(app, "redrive")
def redrive_command(
    tool: Tool,
    ids: IdsArgument = None,
    connection: ConnectionOption = None,
    per_second: RateOption = 10,
    dry_run: DryRunOption = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only show what would be written at the targets now.")
    ] = False,
    yes: YesOption = False,
) -> None:
    """Send dead letters back to work."""
    if plan:
        _plan(tool, ids, connection)
        return
    now = datetime.now(UTC)
    _work_off(
        tool,
        ids,
        connection,
        per_second,
        lambda letter: redrive(tool.stack, letter, now),
        ask=None if dry_run else ("send back", yes),
    )


@command(app, "discard")
def discard_command(
    tool: Tool,
    why: Annotated[str, typer.Option("--why", help="Kept on the entity's timeline.")],
    ids: IdsArgument = None,
    connection: ConnectionOption = None,
    per_second: RateOption = 10,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> None:
    """Give dead letters up for good."""
    now = datetime.now(UTC)
    _work_off(
        tool,
        ids,
        connection,
        per_second,
        lambda letter: discard(tool.stack, letter, why, now),
        ask=None if dry_run else ("give up", yes),
    )


def _plan(tool: Tool, ids: list[str] | None, connection: str | None) -> None:
    """Plan each parked entity at its target; nothing is sent back."""
    parked = dict.fromkeys(
        (one.ref, str(one.content["connection"]))
        for one in _chosen(tool, ids, connection)
        if one.sort is Sort.POINTER and one.ref
    )
    plans = []
    for entity, name in tool.track(list(parked), "asking the targets"):
        plans.append((entity, name, ask(tool.stack, name, "plan", entity=str(entity))))
    tool.answer(
        [{"entity": str(ref), "connection": name} | found for ref, name, found in plans],
        *(part for ref, name, found in plans for part in planning.shown(ref, name, found)),
        f"{_letters(len(parked))} planned; nothing was sent back.",
    )


def _chosen(tool: Tool, ids: list[str] | None, connection: str | None) -> list[Letter]:
    """The letters of these ids, or all.

    Raises:
        CommandError: there is none of one of the ids.
    """
    wanted = frozenset(ids or ())
    with tool.waiting("looking into the queues"):
        found = [one for one in peek(tool.stack, connection) if not wanted or one.id in wanted]
    if unknown := wanted - {letter.id for letter in found}:
        raise CommandError(f"No dead letter has the id {min(unknown)}. See: fizzbridge dlq list")
    return found


def _letters(count: int) -> str:
    return f"{count} dead letter{'' if count == 1 else 's'}"


def _work_off(
    tool: Tool,
    ids: list[str] | None,
    connection: str | None,
    per_second: float,
    act: Callable[[Letter], str],
    *,
    ask: tuple[str, bool] | None,
) -> None:
    found = _chosen(tool, ids, connection)
    if ask is None:
        tool.answer(
            {"dry_run": True, "letters": [letter.shown() for letter in found]},
            f"{_letters(len(found))} would be worked off; nothing was changed.",
        )
        return
    verb, yes = ask
    if found:
        tool.confirm(f"{verb.capitalize()} {_letters(len(found))}?", yes=yes)
    with tool.waiting(f"{verb}: {len(found)} dead letters"):
        counts = (
            work_off(
                tool.stack,
                connection,
                act,
                # Those that came meanwhile were not asked about.
                ids=frozenset(letter.id for letter in found),
                per_second=per_second,
            )
            if found
            else {}
        )
    told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
    tool.answer({"dry_run": False, "counts": counts}, f"Dead letters: {told or 'none'}.")
