"""An ERP that is down for a while, and one a person has paused while somebody deploys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from typer.testing import CliRunner

from cli.main import app
from cli.status import depth
from fizzbridge.runtime import breaker
from fizzbridge.runtime.breaker import FAILURES_IN_A_ROW, PROBES
from tests.kit.deployed import Deployed

FUNCTIONS = ("pull", "target")


def state(house: Deployed) -> breaker.State:
    return breaker.read(house.stack.table, "erp")


def mappings(house: Deployed) -> list[dict[str, Any]]:
    client = house.client("lambda")
    return [
        mapping
        for function in FUNCTIONS
        for mapping in client.list_event_source_mappings(
            FunctionName=f"fizzbridge-local-erp-{function}"
        )["EventSourceMappings"]
    ]


def states(house: Deployed) -> set[str]:
    return {mapping["State"] for mapping in mappings(house)}


def troubled(house: Deployed) -> int:
    lines = house.stack.table.query("Order#erp/-", "TIMELINE#")
    return sum(line.get("what") == "ConnectionTroubled" for line in lines)


def dead_letters(house: Deployed) -> int:
    return depth(house.stack, house.stack.connections["erp"]["DlqUrl"]).waiting


def fizzbridge(*words: str) -> str:
    ran = CliRunner().invoke(app, list(words))
    assert ran.exit_code == 0, ran.output
    return ran.stdout


@contextmanager
def down(house: Deployed) -> Iterator[None]:
    house.misbehave("odoo", kind="status", status=503, times=-1)
    try:
        yield
    finally:
        url = house.stack.local["sandboxes"]["odoo"]
        httpx.delete(f"{url}/_sandbox/faults", trust_env=False).raise_for_status()


def test_f35_an_erp_that_is_down_is_left_alone_and_gets_everything_when_it_is_back(house):
    before, told = dead_letters(house), troubled(house)
    seen: set[str] = set()
    with down(house):
        orders = [house.place()[0] for _ in range(4)]

        def is_off() -> bool:
            seen.add(state(house).name)
            return state(house).name == "open" and states(house) == {"Disabled"}

        house.await_(is_off, lambda: f"{state(house)}, {states(house)}", sweep=True)
        probes = state(house).tries

        def is_probed() -> bool:
            seen.add(state(house).name)
            return state(house).tries >= probes + 2

        house.await_(is_probed, lambda: f"{state(house)}", sweep=True)
        in_vain = house.fired("odoo")
        # A worker that was under way when it opened may have made one more.
        assert in_vain <= FAILURES_IN_A_ROW + 4 + PROBES * (state(house).tries + 1)
        assert "open" in fizzbridge("status")
    for order in orders:
        house.await_link(order, "synced")
        assert len(house.sales(order)) == 1
    house.await_(
        lambda: state(house).works and states(house) == {"Enabled"},
        lambda: f"{state(house)}, {states(house)}",
        sweep=True,
    )
    house.await_(lambda: troubled(house) > told, lambda: "nobody was told", sweep=True)
    assert troubled(house) == told + 1
    assert dead_letters(house) == before
    lines = house.logged("sweep")
    assert any(line.get("connection") == "erp" and "unhealthy" in line for line in lines)


def test_a_deployment_leaves_a_paused_connection_paused(house):
    fizzbridge("pause", "erp", "--why", "stocktaking")
    try:
        house.await_(lambda: states(house) == {"Disabled"}, lambda: f"{states(house)}", sweep=True)
        order, _ = house.place()
        # A change of the mappings themselves: nothing less would show what a deployment does.
        house.up(lambda text: text.replace("parallel = 2, per_minute", "parallel = 3, per_minute"))
        scaled = {mapping["ScalingConfig"]["MaximumConcurrency"] for mapping in mappings(house)}
        assert 3 in scaled
        assert states(house) == {"Disabled"}
        house.sweep()
        assert states(house) == {"Disabled"}
        assert "stocktaking" in fizzbridge("status")
        assert house.link(order).get("status") != "synced"
        assert house.sales(order) == []
    finally:
        fizzbridge("resume", "erp")
    house.await_link(order, "synced")
    assert len(house.sales(order)) == 1
    assert states(house) == {"Enabled"}
