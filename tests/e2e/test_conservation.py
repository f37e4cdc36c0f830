"""What came in came out, and every link is where it may be: by the command and by the census."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.stack import open_stack
from fizzbridge.runtime import rows
from fizzbridge.state.table import Write
from tests.kit.deployed import Deployed


def fizzbridge(*words: str) -> tuple[int, Any]:
    """Run the command; gives its exit code and what it answered."""
    ran = CliRunner().invoke(app, [*words, "--stage", "local", "--json"], obj=open_stack)
    if ran.exception and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    return ran.exit_code, json.loads(ran.stdout)


def balance(since: datetime) -> tuple[int, Any]:
    """The account since then, of all that has ended by now."""
    until = datetime.now(UTC) + timedelta(seconds=2)
    span = (f"{at:%Y-%m-%dT%H:%M:%S}" for at in (since, until))
    return fizzbridge("balance", "--from", next(span), "--to", next(span))


@pytest.fixture(scope="module")
def since() -> datetime:
    return datetime.now(UTC) - timedelta(seconds=1)


@pytest.fixture(scope="module")
def order(house: Deployed, since):
    """An order in step, after all sorts of deliveries about it and others."""
    order, shown = house.place()
    house.await_link(order, "synced")
    body = json.dumps(shown).encode()
    answers = [
        house.post(body),
        house.post(body),
        house.post(body, **{"x-shopify-hmac-sha256": "Zm9yZ2Vk"}),
        house.post(b"{}", topic="themes/publish"),
        house.post(b'{"id": 71, "half": '),
        house.post(json.dumps(shown | {"updated_at": "2020-01-01T00:00:00Z"}).encode()),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 401, 200, 200, 200]
    house.await_(
        lambda: house.stack.table.query(rows.connection_pk("shop-uk"), "QUARANTINE#"),
        lambda: "nothing is in quarantine",
    )
    return order


def test_whatever_came_the_account_closes(house, order, since):
    def closes() -> bool:
        accounts = balance(since)[1]["deliveries"]
        ended = Counter(accounts["shop-uk"]["deliveries"])
        is_finished = ended["spilled"] == ended["drained"] + ended["quarantined"]
        return is_finished and not any(one["imbalance"] for one in accounts.values())

    house.await_(closes, lambda: f"it does not add up: {balance(since)}", sweep=True)
    code, told = balance(since)
    assert code == 0, told
    of = told["deliveries"]["shop-uk"]
    ended = of["deliveries"]
    assert ended["received"] == ended["taken"] + ended["refused"] + ended["spilled"]
    assert (ended["refused"], ended["quarantined"]) == (1, 1)
    assert of["told"]["quarantined"] == 1
    assert of["told"]["equal"] >= 1
    assert of["told"]["ignored"] >= 1
    assert of["told"]["told"] == sum(count for one, count in of["told"].items() if one != "told")
    assert told["entities"] > 1


def test_a_link_that_was_tampered_with_is_found_and_mended(house, order, since):
    link = {"wanted": "tampered"}
    house.stack.table.write(Write(str(order), rows.link_sk("erp"), set=link))
    house.sweep()
    assert house.link(order)["wanted"] == "tampered"  # it is not listed, so nobody comes
    code, told = balance(since)
    assert code == 1
    (found,) = told["unaccounted"]
    assert (found["connection"], found["entity"]) == ("erp", str(order))

    ran = house.client("lambda").invoke(FunctionName=house.stack.core["CensusFunction"])
    assert "FunctionError" not in ran, ran["Payload"].read()
    house.await_(
        lambda: counted(house, "unaccounted_links") == {"shop-uk": 0, "erp": 1},
        lambda: f"the census says {house.logged('census')}",
    )
    assert counted(house, "late_links") == {"shop-uk": 0, "erp": 0}

    assert fizzbridge("resync", order.key)[0] == 0
    house.await_(
        lambda: house.link(order)["synced"] == house.link(order)["wanted"] != "tampered",
        lambda: f"not mended: {house.link(order)}",
        sweep=True,
    )
    assert balance(since)[1]["unaccounted"] == []


def counted(house: Deployed, metric: str) -> dict[str, int]:
    """What the census has last said of two connections."""
    lines = [line for line in house.logged("census") if metric in line]
    last = {line["connection"]: line[metric][-1] for line in lines}
    return {name: last[name] for name in ("shop-uk", "erp") if name in last}
