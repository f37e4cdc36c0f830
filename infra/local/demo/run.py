"""Runs the demo: places the orders, waits until each is where it must be, compares, and tells."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from cli import maps, secrets, status
from cli.stack import Stack, open_stack
from fizzbridge.runtime import rows
from fizzbridge.settings import LOCAL_STAGE, Bridge, load_bridge_file
from infra.local.demo.cases import CASES, REPAIR, Case, End, Sent
from infra.local.demo.follow import Placed, Whereabouts, has_arrived, whereabouts
from infra.local.demo.vendors import Erp, Sale, Shop, moment
from infra.local.state import ADMINISTRATOR

SHOP, ERP = "shop-uk", "erp"
BRIDGE = Path(__file__).with_name("bridge.demo.toml")
PATIENCE_S = 90
LOOK_EVERY_S = 0.25
SWEEP_EVERY_S = 10
READERS = 6
LOG_WIDTH = 110
SALE_STATES = {End.CANCELLED: "cancel"}
BOOKED_STATE = "sale"


class DemoError(Exception):
    """The demo cannot run, or an order is not where it must be."""


@dataclass(frozen=True)
class Result:
    """One line of the demo's table."""

    case: str
    order: str
    key: str
    sent: str
    order_class: str
    lines: int
    total: str
    erp_number: str
    state: str
    seconds: float | None
    wrong: str = ""


class Demo:
    """One run on a stack that is up."""

    def __init__(self, stack: Stack, console: Console) -> None:
        bridge, seeds = _bridge(stack)
        self.stack = stack
        self.console = console
        self.keys = seeds[SHOP], seeds[ERP]
        self.shop = Shop(bridge.connection(SHOP).base_url)
        self.erp = Erp(bridge.connection(ERP).base_url, next(iter(seeds[ERP]["api_keys"])))
        self.placed: list[Placed] = []

    def run(self) -> list[Result]:
        """Place, change and follow the orders."""
        self.prepare()
        created = self.erp.created()
        with self.progress() as progress:
            for case in self.counted(progress, "orders placed", CASES):
                self.place(case)
            self.deliver(progress)
            self.await_all(progress, "orders where they must be", self.placed)
            changed = [placed for placed in self.placed if placed.case.later]
            for placed in self.counted(progress, "orders changed in the shop", changed):
                action, given = placed.case.later or ("", {})
                placed.shown = self.shop.act(placed.shown["id"], action, given)
            self.await_all(progress, "changes taken over", changed)
        return self.results(self.erp.created() - created)

    def prepare(self) -> None:
        """Give the bridge the sandboxes' secrets, and the shop the bridge's address."""
        shop, erp = self.keys
        key, user = next(iter(erp["api_keys"].items()))
        given = {
            SHOP: {
                "active": shop["client_secrets"][0],
                "access_token": next(iter(shop["access_tokens"])),
            },
            ERP: {"api_key": key, "login": user["login"]},
        }
        for connection, values in given.items():
            secrets.set_values(self.stack, connection, values)
        self.shop.send_webhooks_to(f"{self.stack.local['api']}/webhooks/{SHOP}")
        self.shop.switch("manual")

    def place(self, case: Case) -> None:
        """Place one order and what happens to it at once."""
        if case.unknown_sku:
            case = case.with_unknown_sku(self.unknown(case.unknown_sku))
        shown = self.shop.place(case.draft)
        if case.at_once:
            shown = self.shop.act(shown["id"], "update", case.at_once)
        self.placed.append(Placed(case, SHOP, shown))

    def unknown(self, code: str) -> str:
        """A code like this that nobody mapped: an earlier run's may have been repaired."""
        known = maps.listed(self.stack, SHOP, "sku")
        codes = itertools.chain([code], (f"{code}-{number}" for number in itertools.count(2)))
        return next(one for one in codes if one not in known)

    def deliver(self, progress: Progress) -> None:
        """Send some webhooks repeated or backwards by hand, and let the shop send the rest."""
        before = {delivery["id"] for delivery in self.own_deliveries()}
        by_hand = [placed for placed in self.placed if placed.case.sent is not Sent.ONCE]
        for placed in self.counted(progress, "orders sent out of turn", by_hand):
            ids = [
                delivery["id"]
                for delivery in self.own_deliveries()
                if delivery["order_id"] == str(placed.shown["id"])
            ]
            repeats = 3 if placed.case.sent is Sent.THRICE else 1
            self.shop.deliver([one for one in reversed(ids) for _ in range(repeats)])
        self.shop.switch("auto")
        task = progress.add_task("webhooks accepted", total=len(before))

        def all_accepted() -> bool:
            accepted = [
                one for one in self.own_deliveries() if one["id"] in before and one["accepted_at"]
            ]
            progress.update(task, completed=len(accepted))
            return len(accepted) == len(before)

        self.wait(all_accepted, lambda: "The bridge does not accept the shop's webhooks.")

    def own_deliveries(self) -> list[dict[str, Any]]:
        """The webhooks of this run's orders."""
        ids = {str(placed.shown["id"]) for placed in self.placed}
        return [one for one in self.shop.deliveries() if one["order_id"] in ids]

    def await_all(self, progress: Progress, what: str, orders: list[Placed]) -> None:
        """Wait until the bridge has done with these orders."""
        task = progress.add_task(what, total=len(orders))
        left = list(orders)

        def nothing_left() -> bool:
            left[:] = [
                placed
                for placed, where in zip(left, self.looked_up(left), strict=True)
                if not has_arrived(placed, where)
            ]
            progress.update(task, completed=len(orders) - len(left))
            return not left

        self.wait(
            nothing_left,
            lambda: f"{what}: not {', '.join(one.called for one in left)} after {PATIENCE_S} s.",
            self.sweep,
        )

    def looked_up(self, orders: Iterable[Placed]) -> list[Whereabouts]:
        """Where these orders are."""
        with ThreadPoolExecutor(READERS) as pool:
            return list(pool.map(lambda one: whereabouts(self.stack, one.ref, ERP), orders))

    def sweep(self) -> None:
        """What the schedule does every minute, now: lost hints are sent again."""
        local = self.stack.local
        functions = boto3.client(
            "lambda",
            endpoint_url=local["endpoint"],
            region_name=local["region"],
            aws_access_key_id=ADMINISTRATOR["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=ADMINISTRATOR["AWS_SECRET_ACCESS_KEY"],
        )
        functions.invoke(FunctionName=self.stack.core["SweepFunction"], InvocationType="Event")

    @staticmethod
    def wait(
        condition: Callable[[], bool],
        complaint: Callable[[], str],
        nudge: Callable[[], None] | None = None,
    ) -> None:
        """Look until a condition holds, with a nudge now and then.

        Raises:
            DemoError: it does not hold in time.
        """
        start = nudged = time.monotonic()
        while not condition():
            now = time.monotonic()
            if now - start > PATIENCE_S:
                raise DemoError(complaint())
            if nudge and now - nudged > SWEEP_EVERY_S:
                nudge()
                nudged = now
            time.sleep(LOOK_EVERY_S)

    def results(self, created: int) -> list[Result]:
        """Compare the shop, the state table and the ERP, order by order."""
        accepted: dict[str, datetime] = {}
        for delivery in self.own_deliveries():
            at, order = moment(delivery["accepted_at"]), delivery["order_id"]
            if at:
                accepted[order] = min(at, accepted.get(order, at))
        results = [
            self.result(placed, where, accepted.get(str(placed.shown["id"])))
            for placed, where in zip(self.placed, self.looked_up(self.placed), strict=True)
        ]
        wanted = sum(placed.case.end is not End.HELD for placed in self.placed)
        if created != wanted:
            wrong = f"the ERP accepted {created} new orders, not {wanted}"
            results = [replace(one, wrong=one.wrong or wrong) for one in results]
        return results

    def result(self, placed: Placed, where: Whereabouts, accepted_at: datetime | None) -> Result:
        """One order's line."""
        sales = self.erp.sales(placed.ref.key)
        sale = sales[0] if len(sales) == 1 else None
        seconds = None
        if where.booked_at and accepted_at:
            seconds = round((where.booked_at - accepted_at).total_seconds(), 2)
        return Result(
            case=placed.case.name,
            order=placed.shown["name"],
            key=placed.ref.key,
            sent=placed.case.sent,
            order_class=where.assessment.order_class if where.assessment else "",
            lines=sale.lines if sale else where.lines,
            total=f"{sale.total if sale else placed.total:.2f} {placed.shown['currency']}",
            erp_number=sale.number if sale else "",
            state=_state(placed.case, where),
            seconds=seconds,
            wrong="; ".join(mistakes(placed, where, sales)),
        )

    def progress(self) -> Progress:
        """Bars beside the answer."""
        return Progress(
            TextColumn("  {task.description:<28}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
        )

    @staticmethod
    def counted(progress: Progress, what: str, items: Iterable[Any]) -> Iterator[Any]:
        """Go through items with a bar."""
        listed = list(items)
        return iter(progress.track(listed, total=len(listed), description=what))


def _state(case: Case, where: Whereabouts) -> str:
    if where.is_cancelled:
        return End.CANCELLED
    if where.status in {"held", "parked"}:
        why = "; ".join(where.holds) or rows.text(where.link, "message")
        return f"{where.status}: {why}"
    if not where.in_step:
        return "on its way"
    return End.AMENDED if case.end is End.AMENDED else End.BOOKED


def mistakes(placed: Placed, where: Whereabouts, sales: list[Sale]) -> Iterator[str]:
    """What is not as it must be with an order, line by line."""
    case = placed.case
    if case.end is End.HELD:
        if where.status != "held" or not any(case.unknown_sku in hold for hold in where.holds):
            yield f"must be held for {case.unknown_sku}, is {_state(case, where)}"
        if sales:
            yield "is held and yet in the ERP"
        return
    if _state(case, where) != case.end:
        yield f"must be {case.end}, is {_state(case, where)}"
    if len(sales) != 1:
        yield f"is {len(sales)} times in the ERP"
        return
    [sale] = sales
    if sale.state != SALE_STATES.get(case.end, BOOKED_STATE):
        yield f"is '{sale.state}' in the ERP"
    if case.end is not End.CANCELLED:
        if sale.total != placed.total:
            yield f"costs {placed.total} in the shop and {sale.total} in the ERP"
        if sale.lines != where.lines:
            yield f"has {where.lines} lines here and {sale.lines} in the ERP"


def _bridge(stack: Stack) -> tuple[Bridge, dict[str, dict[str, Any]]]:
    """The demo's bridge and the seeds of its sandboxes, by connection."""
    if not stack.local or Path(stack.local["bridge"]) != BRIDGE:
        raise DemoError(f"Another bridge is up. Bring the demo's up: make up BRIDGE={BRIDGE}")
    bridge = load_bridge_file(BRIDGE)
    files = {sandbox.platform: sandbox.seed or "" for sandbox in bridge.local.sandboxes}
    return bridge, {
        connection.name: json.loads(
            (BRIDGE.parent / files[connection.platform]).read_text(encoding="utf-8")
        )
        for connection in bridge.connections
    }


def run(*, as_json: bool = False) -> int:
    """Run the demo and tell how it went; returns the exit code."""
    console = Console(stderr=as_json, highlight=False)
    if not console.is_terminal:
        console.width = LOG_WIDTH
    stack = open_stack(LOCAL_STAGE)
    demo = Demo(stack, console)
    started = time.monotonic()
    results = demo.run()
    took = time.monotonic() - started
    wrong = [one for one in results if one.wrong]
    if as_json:
        answer = {
            "orders": [asdict(one) for one in results],
            "took_s": round(took, 1),
            "addresses": status.addresses(stack),
        }
        Console().print_json(data=answer)
    else:
        console.print(_table(results))
        _tell(console, demo, results, took)
    for one in wrong:
        console.print(f"[red]✗ {one.order} ({one.case}) {one.wrong}[/]")
    return 1 if wrong else 0


def _table(results: list[Result]) -> Table:
    """The results in 80 columns: what takes room wraps, figures do not."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("order", ratio=1)
    table.add_column("class", no_wrap=True)
    for column in ("lines", "total"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("ERP", no_wrap=True)
    table.add_column("state", ratio=1)
    table.add_column("seconds", justify="right", no_wrap=True)
    for one in results:
        colour = "red" if one.wrong else "yellow" if one.state.startswith("held") else "green"
        sent = "" if one.sent == Sent.ONCE else f", sent {one.sent}"
        table.add_row(
            *(f"{one.order} {one.case}{sent}", one.order_class, str(one.lines), one.total),
            *(one.erp_number, f"[{colour}]{one.state}[/]"),
            "" if one.seconds is None else f"{one.seconds:.2f}",
        )
    return table


def _tell(console: Console, demo: Demo, results: list[Result], took: float) -> None:
    console.print(f"  {len(results)} orders in {took:.1f} s. All of this is running:")
    for name, address in status.addresses(demo.stack).items():
        console.print(f"    {name:<18} {address}", soft_wrap=True)
    held = next(placed for placed in demo.placed if placed.case.end is End.HELD)
    console.print("  Look further, after [bold]source .venv/bin/activate[/]:")
    for line, why in _further(results[0].key, held.ref.key, held.case.unknown_sku).items():
        console.print(f"    [bold]{line}[/] [dim]{why}[/]", soft_wrap=True)


def _further(first: str, held: str, sku: str) -> Mapping[str, str]:
    return {
        f"fizzbridge trace {first}": "what happened to the first order",
        f"fizzbridge trace {held}": "why the held one waits",
        f"fizzbridge map set {SHOP} sku {sku} {REPAIR}": "repair it: it goes on by itself",
        "fizzbridge status": "queues, links, polls, health",
        "fizzbridge dlq list": "what failed for good",
    }
