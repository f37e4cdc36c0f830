"""Alarms as they go to AWS, judged on what the watch writes; a bridge file sets when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fizzbridge.model.entity import Kind, ref
from fizzbridge.model.order import HoldReason
from fizzbridge.observability import Metrics
from fizzbridge.runtime import rows
from fizzbridge.runtime.watch import EXPIRES, Watch
from fizzbridge.settings import load_bridge_file
from fizzbridge.state.memory import MemoryTable
from fizzbridge.state.moments import to_text
from fizzbridge.state.table import Write
from infra.local.metrics import embedded
from tests.infra.synthesis import ROOT
from tests.kit.alarms import ALARM, OK, Alarm, name
from tests.kit.clock import Clock

LIMIT = 20


class Watched:
    """The example bridge's table, and its alarms that look at one metric."""

    def __init__(self, aws, example) -> None:
        self.clock = Clock(datetime(2026, 11, 20, 9, tzinfo=UTC))
        self.table = MemoryTable(self.clock)
        self.bridge = load_bridge_file(example, ROOT, stage="prod")
        found = [one["Properties"] for one in aws.resources("AWS::CloudWatch::Alarm").values()]
        self.alarms = [Alarm.of_api(one) for one in found if one.get("Namespace") == "fizzbridge"]

    def hold(self, count: int, reason: HoldReason, gross: str = "1.00") -> None:
        """Orders of the shop are held."""
        listed = {"cause": rows.waiting_cause(rows.ASSESS, "held"), "status": "synced"}
        for number in range(count):
            order = str(ref(Kind.ORDER, "shop-uk", f"{reason}-{number}"))
            hold = Write(order, f"HOLD#order#{reason}#x", set={"cause": "x"})
            link = Write(order, rows.link_sk(rows.ASSESS), set=listed)
            part = Write(order, "PART#assessment", set={"gross": gross, "currency": "GBP"})
            self.table.transact([hold, link, part])

    def raised(self) -> set[str]:
        """The alarms that are on after a tick."""
        lines: list[str] = []
        with Metrics(lines.append) as metrics:
            Watch(self.table, self.bridge, metrics, self.clock).run()
        told: dict[object, list[float]] = {}
        for line in lines:
            for namespace, datum in embedded(line):
                of = name(namespace, datum["MetricName"], datum["Dimensions"])
                told.setdefault(of, []).extend(datum["Values"])
        states = {one.name: one.judge(told.get(one.of, [])) for one in self.alarms}
        assert set(states.values()) <= {OK, ALARM}
        prefix = "fizzbridge-prod-"
        return {one.removeprefix(prefix) for one, state in states.items() if state == ALARM}


@pytest.fixture
def watched(aws, example):
    return Watched(aws, example)


@pytest.mark.parametrize("reason", HoldReason)
def test_each_reason_has_an_alarm_of_its_own(watched, reason):
    watched.hold(LIMIT - 1, reason)
    assert watched.raised() == set()
    watched.hold(LIMIT, reason)
    assert watched.raised() == {f"shop-uk-{reason.lower().replace('_', '-')}-held"}


def test_a_few_orders_worth_much_are_an_alarm(watched):
    watched.hold(2, HoldReason.CREDIT, "4999.75")
    assert watched.raised() == {"shop-uk-gbp-held-value"}, "to the whole pound"
    watched.hold(2, HoldReason.CREDIT, "4999.70")
    assert watched.raised() == set()


@pytest.mark.parametrize(("days", "raised"), [(15, set()), (14, {"erp-expiring"})])
def test_a_key_that_ends_soon_is_an_alarm_of_its_connection(watched, days, raised):
    until = watched.clock() + timedelta(days=days, hours=1)
    pk = rows.connection_pk("erp")
    watched.table.write(Write(pk, f"{EXPIRES}api_key", set={"until": to_text(until)}))
    assert watched.raised() == raised


def test_a_threshold_may_be_set_for_a_reason(tmp_path, example):
    text = example.read_text(encoding="utf-8")
    bridge = tmp_path / "bridge.toml"
    for file in ("catalogue.example.csv", "schemes.example.toml"):
        (tmp_path / file).write_text((ROOT / file).read_text(encoding="utf-8"), encoding="utf-8")
    bridge.write_text(f"{text}\n[alarms.held_by_reason]\nCREDIT = 200\n", encoding="utf-8")
    policy = load_bridge_file(bridge, ROOT, stage="prod").alarms
    assert policy.held_by_reason == {HoldReason.CREDIT: 200}
    assert policy.held_orders == LIMIT
