"""How every connection fares: queues, links, polls, health."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

import typer
from rich.console import RenderableType

from cli import links
from cli.letters import CORE_QUEUES
from cli.stack import Stack
from cli.tool import Tool, clock, command, grid
from fizzbridge.runtime import rows
from fizzbridge.runtime.breaker import CLOSED, State, read
from fizzbridge.state import Row
from fizzbridge.state.moments import to_text

app = typer.Typer()

QUEUES = {
    "PullQueueUrl": "pull",
    "DocumentsQueueUrl": "documents",
    "LevelsQueueUrl": "levels",
    "DlqUrl": "dlq",
    "AssessQueueUrl": "assess",
    "RecordQueueUrl": "record",
} | {output: f"{name}-dlq" for output, name in CORE_QUEUES.items()}
_LEASE = frozenset({"pk", "sk", "holder", "lease_until", "fence", "write_mark"})


@dataclass(frozen=True)
class Depth:
    """How many messages a queue holds."""

    waiting: int
    in_work: int


@dataclass(frozen=True)
class Fares:
    """How one connection fares.

    Attributes:
        queues: its queues.
        links: how many links are behind, held, parked.
        behind_since: since when the oldest of them is behind.
        reasons: why links are behind, where the last attempt said so, and how many.
        cursors: how far each stream was read.
        health: whether it is paused, or does not work, and why.
    """

    queues: Mapping[str, Depth]
    links: Mapping[str, int]
    behind_since: str
    reasons: Mapping[str, int]
    cursors: Mapping[str, Mapping[str, Any]]
    health: Mapping[str, Any]


def status(stack: Stack) -> dict[str, Fares]:
    """Every connection, and the core as ``core``."""
    outputs = {"core": stack.core, **stack.connections}
    urls = {
        (name, QUEUES[output]): url
        for name, own in outputs.items()
        for output, url in own.items()
        if output in QUEUES
    }
    with ThreadPoolExecutor(links.READERS) as pool:
        found = pool.map(lambda url: depth(stack, url), urls.values())
        depths = dict(zip(urls, found, strict=True))
    behind = links.behind(stack)
    behind["core"] = behind.pop(rows.ASSESS, [])
    fares = {}
    for name in outputs:
        link = rows.ASSESS if name == "core" else name
        listed = [row for _, row in links.read(stack, link, behind.get(name, []))]
        kept = {
            rows.text(row, "sk"): _plain(row) for row in stack.table.query(rows.connection_pk(name))
        }
        fares[name] = Fares(
            queues={queue: count for (owner, queue), count in depths.items() if owner == name},
            links={
                "behind": len(listed),
                "held": len(links.waiting(stack, link, "held")),
                "parked": len(links.waiting(stack, link, "parked")),
            },
            behind_since=min((rows.text(row, "behind_since") for row in listed), default=""),
            reasons=dict(Counter(rows.text(row, "reason") for row in listed if row.get("reason"))),
            cursors={
                sk.removeprefix("CURSOR#"): row
                for sk, row in kept.items()
                if sk.startswith("CURSOR#")
            },
            health=_health(read(stack.table, name)),
        )
    return fares


def depth(stack: Stack, url: str) -> Depth:
    """How full a queue is; AWS counts approximately."""
    found = stack.sqs.get_queue_attributes(
        QueueUrl=url,
        AttributeNames=[
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ],
    )["Attributes"]
    delayed = int(found.get("ApproximateNumberOfMessagesDelayed", "0"))
    return Depth(
        waiting=int(found["ApproximateNumberOfMessages"]) + delayed,
        in_work=int(found["ApproximateNumberOfMessagesNotVisible"]),
    )


def addresses(stack: Stack) -> dict[str, str]:
    """Where things are."""
    found = {"api": stack.core.get("ApiUrl", ""), "dashboard": stack.core.get("DashboardName", "")}
    if stack.local:
        found |= {"api": stack.local.get("api", ""), "emulator": stack.local["endpoint"]}
        found |= {f"sandbox {name}": url for name, url in stack.local.get("sandboxes", {}).items()}
    found |= {
        # The path of the output; its host, in the local stack, resolves in few clients.
        f"webhook {name}": found["api"].rstrip("/") + urlsplit(outputs["WebhookUrl"]).path
        for name, outputs in stack.connections.items()
        if "WebhookUrl" in outputs
    }
    return {name: url for name, url in found.items() if url}


def _health(state: State) -> dict[str, Any]:
    """What people are told of a connection that is not worked for; nothing of one that is."""
    found: dict[str, Any] = {}
    if state.name != CLOSED:
        found = {"status": state.name, "reason": state.reason, "message": state.message}
        moments = {"since": state.since, "next_probe_at": state.probe_at}
        found |= {name: to_text(moment) for name, moment in moments.items() if moment}
    if state.pause:
        at = to_text(state.pause.at)
        found |= {"status": "paused", "paused_at": at, "paused_by": state.pause.by}
        found["message"] = f"paused since {clock(at)} by {state.pause.by}: {state.pause.why}"
    return found


def _plain(row: Row) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in _LEASE}


@command(app, "status")
def status_command(tool: Tool) -> None:
    """Show how every connection fares."""
    with tool.waiting("asking"):
        fares = status(tool.stack)
        where = addresses(tool.stack)
    tool.answer(
        {
            "stage": tool.stack.stage,
            "connections": {name: asdict(one) for name, one in fares.items()},
            "addresses": where,
        },
        *_shown(fares),
        grid("", "address", rows=where.items()),
    )


def _shown(fares: Mapping[str, Fares]) -> Iterator[RenderableType]:
    links_of = [
        (
            name,
            one.health.get("status", ""),
            *(one.links[status] for status in ("behind", "held", "parked")),
            clock(one.behind_since),
            one.health.get("message") or ", ".join(f"{why}: {n}" for why, n in one.reasons.items()),
        )
        for name, one in fares.items()
    ]
    yield grid(
        *("connection", "health", "behind", "held", "parked", "behind since (UTC)", "why"),
        rows=links_of,
    )
    depths = [
        (name, queue, count.waiting, count.in_work)
        for name, one in fares.items()
        for queue, count in one.queues.items()
    ]
    yield grid("connection", "queue", "waiting", "in work", rows=depths)
    polls = [
        (name, stream, row.get("position", ""), row.get("moved_at", ""))
        for name, one in fares.items()
        for stream, row in one.cursors.items()
    ]
    if polls:
        yield grid("connection", "stream", "read up to", "at", rows=polls)
