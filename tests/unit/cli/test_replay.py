"""Replays: which rules get what, and that it is recorded."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from tests.unit.cli.conftest import WHERE

BUS = "fizzbridge-test-bus"
RULES = ("erp-documents", "erp-levels", "erp2-documents", "shop-uk-levels", "record", "assess")
PATTERN = '{"source": [{"prefix": "fizzbridge."}]}'


@pytest.fixture
def bus(stack):
    """The stack's bus with its archive and everybody's rules."""
    events = boto3.client("events", **WHERE)
    made = events.create_event_bus(Name=BUS)["EventBusArn"]
    for name in RULES:
        events.put_rule(Name=f"fizzbridge-test-{name}", EventBusName=BUS, EventPattern=PATTERN)
    events.create_archive(
        ArchiveName="fizzbridge-test-archive",
        EventSourceArn=made,
        EventPattern=PATTERN,
        RetentionDays=30,
    )
    return replace(stack, events=events, core={**stack.core, "BusName": BUS})


@pytest.fixture
def run(bus, running):
    return running(bus)


def hours_ago(hours):
    return (datetime.now(UTC) - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S")


def test_a_replay_goes_to_the_targets_own_rules_and_to_nobody_who_tells(run, bus):
    ran = run("replay", "--from", hours_ago(24), "--to-connection", "erp", "--yes", "--json")
    assert ran.code == 0, ran.err
    assert ran.data["state"] == "COMPLETED"
    made = bus.events.describe_replay(ReplayName=ran.data["replay"])
    names = [arn.rpartition("/")[2] for arn in made["Destination"]["FilterArns"]]
    assert names == ["fizzbridge-test-erp-documents", "fizzbridge-test-erp-levels"]
    assert made["EventEndTime"] - made["EventStartTime"] == pytest.approx(
        timedelta(hours=24), abs=timedelta(minutes=5)
    )
    (told,) = run("operations", "--json").data
    assert (told["what"], told["connection"], told["ended"]) == ("replay", "erp", "done")
    assert told["outcome"] == [f"1 replay {ran.data['replay']}"]


def test_a_plan_starts_nothing(run, bus):
    words = ("replay", "--from", hours_ago(3), "--to", hours_ago(1), "--to-connection", "erp")
    ran = run(*words, "--plan", "--json")
    assert ran.data["rules"] == ["fizzbridge-test-erp-documents", "fizzbridge-test-erp-levels"]
    assert ran.data["plan"] is True
    shown = run(*words, "--plan").out
    assert "Nothing was replayed." in " ".join(shown.split())
    assert bus.events.list_replays()["Replays"] == []
    assert run("operations", "--json").data == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--from", "2026-01-01", "--to-connection", "erp"), "keeps 30 days"),
        (("--from", "9999-01-01", "--to-connection", "erp"), "--to must be later than --from"),
        (("--from", "2026-01-01", "--to-connection", "shop-uk"), "'shop-uk' is no target"),
        (("--from", "2026-01-01", "--to-connection", "nobody"), "no connection 'nobody'"),
    ],
)
def test_what_cannot_be_replayed_is_one_sentence(run, words, message):
    ran = run("replay", *words, "--yes")
    assert ran.code == 1
    assert message in " ".join(ran.err.split())


def test_without_an_archive_it_says_so(run, bus, fizzbridge):
    bus.events.delete_archive(ArchiveName="fizzbridge-test-archive")
    words = ("replay", "--from", hours_ago(2), "--to-connection", "erp", "--yes")
    assert "There is no archive" in run(*words).err
    assert "no bus to replay to" in fizzbridge(*words).err
