"""What every target must do, run once over the registry: a new platform adds facts, no tests."""

from __future__ import annotations

import importlib
import json
import re
from collections import Counter
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from syrupy.extensions.json import JSONSnapshotExtension

from cli.recreate import recreate
from fizzbridge import errors
from fizzbridge.manifest import load_registry
from fizzbridge.model.entity import Kind, ref
from fizzbridge.runtime.breaker import STOPPED_WAIT, read
from fizzbridge.runtime.target import settled_after
from fizzbridge.state.moments import to_text
from fizzbridge.state.table import Write
from tests.kit.house import customer_ref, order_ref
from tests.kit.source import captured_logs
from tests.kit.target import PERSONAL, TargetHouse

ROOT = Path(__file__).parents[2]
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SPECS = ROOT.parent / "shared" / "platforms" / "specs"
MANIFESTS = load_registry(ROOT)
TARGETS = sorted(slug for slug, manifest in MANIFESTS.items() if manifest.is_booked)


@pytest.fixture(params=TARGETS)
def house(request):
    return TargetHouse(request.param)


@pytest.fixture
def placed(house):
    """An order and its customer, assessed; nothing has gone to the target yet."""
    house.customer()
    house.order()
    house.assess()
    return house


def keeps_objects(house):
    """Skip where the target keeps none: told of ours, it can neither be asked nor lose one."""
    if "told" in house.facts:
        pytest.skip(house.facts["told"])


def run(house):
    house.outcomes.append(house.converge.run(order_ref(), f"run-{len(house.outcomes)}"))
    return house.outcomes[-1]


def booked_once(house):
    assert house.committed("created") == 1
    link = house.link(order_ref())
    assert link["status"] == "synced"
    assert link["wanted"] == link["synced"]
    assert link["external_id"]
    assert "intent" not in link


@pytest.mark.parametrize("platform", TARGETS)
def test_it_holds_what_its_manifest_says(platform):
    house = TargetHouse(platform)
    assert set(house.adapter.entities) == set(MANIFESTS[platform].entities.target)
    assert house.adapter.platform == platform
    assert set(house.secret) == set(MANIFESTS[platform].secrets.api)


MASKED = re.compile(r"(<(?:\w+:)?(?:nonce|timestamp|signature)\b[^>]*>)[^<]+")


def golden(request):
    """A call as it is read: JSON, or text without what is new in every call."""
    text = GUID.sub("{guid}", request.content.decode())
    body: Any = json.loads(text) if "json" in request.headers.get("content-type", "") else None
    if "xml" in request.headers.get("content-type", ""):
        body = MASKED.sub(r"\1…", text).replace("><", ">\n<").splitlines()
    path = GUID.sub("{guid}", request.url.raw_path.decode())
    return {"call": f"{request.method} {path}", "body": body}


def test_the_golden_requests(placed, snapshot):
    assert run(placed).kind == "done"
    booked_once(placed)
    # Whether a token is asked for depends on what this process did before.
    asked = (one for one in placed.sent() if "form" not in one.headers.get("content-type", ""))
    shown = [golden(request) for request in asked]
    assert shown == snapshot(extension_class=JSONSnapshotExtension)


def test_the_same_event_again_makes_no_call(placed):
    run(placed)
    calls = len(placed.sent())
    for _ in range(3):
        assert run(placed).kind == "done"
    assert len(placed.sent()) == calls
    booked_once(placed)


def test_a_change_is_written_to_the_same_object(placed):
    run(placed)
    external_id = placed.link(order_ref())["external_id"]
    placed.order(cases=5, second=5)
    placed.assess()
    assert run(placed).kind == "done"
    booked_once(placed)
    assert placed.link(order_ref())["external_id"] == external_id


def test_a_cancellation_is_done_once(placed):
    run(placed)
    placed.order(second=5, cancelled_at=placed.clock())
    placed.assess()
    for _ in range(2):
        assert run(placed).kind == "done"
    assert placed.committed("cancelled") == 1
    assert placed.committed("created") == 1


def test_what_was_cancelled_before_it_was_made_is_not_made(house):
    house.customer()
    house.order(cancelled_at=house.clock())
    house.assess()
    house.settle()
    assert house.committed("created") == 0
    assert house.committed("cancelled") == 0


def test_a_limit_is_waited_for(placed):
    placed.fault("status", "create", status=429, headers={"Retry-After": "17"})
    outcome = run(placed)
    assert (outcome.kind, outcome.after) == ("retry", timedelta(seconds=17))
    assert isinstance(outcome.error, errors.RateLimitedError)
    assert run(placed).kind == "done"
    booked_once(placed)


def test_a_refusal_is_parked_and_not_repeated(placed):
    placed.fault("status", "create", status=422, body={"message": "the period is closed"})
    outcome = run(placed)
    assert outcome.kind == "parked"
    assert isinstance(outcome.error, errors.PermanentError)
    assert placed.link(order_ref())["status"] == "parked"
    calls = len(placed.sent())
    run(placed)
    assert len(placed.sent()) == calls
    assert placed.committed("created") == 0


def test_a_spent_key_is_the_connections_trouble_and_loses_nothing(placed):
    run(placed)
    placed.order(cases=5, second=5)
    placed.assess()
    good = dict(placed.secret)
    placed.secret.update(dict.fromkeys(good, "spent"))
    again = placed.work(order_ref())
    assert again is not None
    assert again.after == STOPPED_WAIT
    assert read(placed.rows, "erp").name == "open"
    assert placed.link(order_ref())["status"] != "parked"
    placed.secret.update(good)
    placed.clock.advance(61)
    placed.breaker.probe()
    assert placed.work(order_ref()) is None
    assert read(placed.rows, "erp").name == "closed"
    booked_once(placed)


@pytest.mark.parametrize(
    "kind", ["commit_then_silence", "commit_then_reset", "commit_then_status", "truncate"]
)
def test_a_lost_answer_is_found_and_not_made_again(placed, kind):
    placed.fault(kind, "create")
    outcome = run(placed)
    assert isinstance(outcome.error, errors.OutcomeUnknownError)
    assert placed.link(order_ref())["intent"]
    assert placed.committed("created") == 1
    placed.clock.advance(seconds(placed))
    assert run(placed).kind == "done"
    booked_once(placed)


def seconds(house):
    erp, lease = house.bridge.connection("erp"), house.bridge.timing.lease
    return settled_after(house.adapter, erp, lease).total_seconds() + 1


def test_what_never_arrived_is_made_when_that_is_sure(placed):
    placed.fault("drop", "create")
    assert isinstance(run(placed).error, errors.OutcomeUnknownError)
    soon = run(placed)
    assert isinstance(soon.error, errors.OutcomeUnknownError)
    assert placed.committed("created") == 0
    placed.clock.advance(soon.after.total_seconds() + 1)
    assert run(placed).kind == "done"
    booked_once(placed)


def test_a_cancellation_waits_for_a_create_nobody_answered(placed):
    placed.fault("commit_then_silence", "create")
    run(placed)
    placed.order(second=5, cancelled_at=placed.clock())
    placed.assess()
    run(placed)
    placed.clock.advance(seconds(placed))
    placed.settle()
    assert (placed.committed("created"), placed.committed("cancelled")) == (1, 1)
    assert placed.link(order_ref())["stamp"] == "gone"


def test_a_token_that_ends_in_the_middle_of_a_write_makes_one_object(placed):
    placed.fault("status", "create", status=401)
    run(placed)
    placed.settle()
    booked_once(placed)


def test_of_two_workers_at_once_one_does_it(placed):
    outcomes = []

    def other():
        outcomes.append(placed.converge.run(order_ref(), "other"))

    placed.while_creating(other)
    assert run(placed).kind == "done"
    assert [one.kind for one in outcomes] == ["dropped"]
    booked_once(placed)


def test_a_write_that_lands_after_its_lease_is_found_and_not_made_again(placed):
    """The first worker is so slow that a second takes over while its create is on its way."""
    keeps_objects(placed)
    outcomes = []

    def overtaken():
        placed.clock.advance(placed.bridge.timing.lease + 1)
        outcomes.append(placed.converge.run(order_ref(), "second"))

    placed.while_creating(overtaken)
    run(placed)
    assert isinstance(outcomes[0].error, errors.OutcomeUnknownError)
    placed.clock.advance(seconds(placed))
    placed.settle()
    booked_once(placed)


def test_what_a_person_deleted_is_made_again_only_by_word(placed):
    keeps_objects(placed)
    run(placed)
    gone = placed.link(order_ref())["external_id"]
    placed.act("delete", placed.facts["deleted"])
    placed.order(cases=5, second=5)
    placed.settle()
    link = placed.link(order_ref())
    assert (link["status"], link["external_id"]) == ("parked", gone)
    assert placed.committed("created") == 1
    recreate(stack(placed), order_ref(), "erp", "by mistake", placed.clock())
    placed.settle()
    link = placed.link(order_ref())
    assert (link["status"], link["generation"]) == ("synced", 1)
    assert link["external_id"] != gone
    assert placed.committed("created") == 2


def stack(house):
    """What the command works with, as far as it goes here."""
    sends = SimpleNamespace(send_message=lambda **_: None)
    outputs = {"DocumentsQueueUrl": "documents"}
    return SimpleNamespace(
        table=house.rows,
        sqs=sends,
        target=lambda _: outputs,
        caller=lambda: "arn:aws:iam::000000000000:user/ann",
    )


def test_an_outage_changes_nothing(placed):
    outage = placed.fault("status", times=-1, status=503)
    for _ in range(3):
        assert run(placed).kind in {"retry", "dropped"}
    assert placed.committed("created") == 0
    outage.times = 0
    placed.settle()
    booked_once(placed)


def test_an_order_waits_for_its_customer(house):
    house.order()
    house.assess()
    outcome = run(house)
    assert outcome.kind == "dropped"
    assert isinstance(outcome.error, errors.DependencyNotReadyError)
    assert house.committed("created") == 0
    house.customer()
    house.settle()
    booked_once(house)


def test_a_customer_refused_keeps_the_order_waiting(placed):
    placed.fault("status", "required", status=422, body={"message": "no"})
    outcome = run(placed)
    assert isinstance(outcome.error, errors.DependencyNotReadyError)
    assert placed.link(customer_ref())["status"] == "parked"
    assert placed.committed("created") == 0


def test_an_unknown_product_holds_and_its_map_row_releases(house):
    keeps_objects(house)
    house.customer()
    house.order(sku="LEMON1L")
    house.assess()
    outcome = run(house)
    assert outcome.kind == "held"
    assert outcome.error.cause == "MAP#erp#sku/LEMON1L"
    assert house.committed("created") == 0
    row = {"mapped": "COLA330", "updated_at": to_text(house.clock())}
    house.rows.write(Write("MAP#erp#sku", "LEMON1L", set=row))
    house.settle()
    booked_once(house)


# -- documents of an order -------------------------------------------------------------------------


@pytest.fixture(params=[slug for slug in TARGETS if "Payment" in MANIFESTS[slug].entities.target])
def ledger(request):
    """A ledger that holds an order on account."""
    house = TargetHouse(request.param)
    keeps_objects(house)
    house.customer()
    house.order(payment_terms="Net 30")
    house.settle()
    assert house.link(order_ref())["status"] == "synced"
    return house


def document(house, entity):
    house.settle()
    link = house.link(entity)
    assert link["status"] == "synced", link
    assert "intent" not in link
    return link


def test_a_payment_is_booked_once(ledger):
    entity = ledger.pay()
    assert document(ledger, entity)["external_id"]
    calls = len(ledger.sent())
    ledger.pay(second=5)
    document(ledger, entity)
    assert len(ledger.sent()) == calls
    assert ledger.made(Kind.PAYMENT) == 1


def test_a_refund_is_credited_once_and_the_order_stays_as_billed(ledger):
    ledger.pay()
    ledger.settle()
    before = ledger.link(order_ref())["stamp"]
    entity = ledger.refund()
    assert document(ledger, entity)["external_id"]
    ledger.settle()
    assert ledger.made(Kind.REFUND) == 1
    assert ledger.link(order_ref())["stamp"] == before
    assert ledger.committed("created") == 1


@pytest.mark.parametrize("kind", ["commit_then_silence", "commit_then_reset", "truncate", "drop"])
@pytest.mark.parametrize("what", ["pay", "refund"])
def test_a_document_whose_answer_is_lost_is_made_once(ledger, what, kind):
    if what == "refund":
        document(ledger, ledger.pay())
    entity = getattr(ledger, what)()
    ledger.assess()
    ledger.fault(kind, f"{entity.kind.lower()}_create")
    ledger.converge.run(entity, "lost")
    ledger.clock.advance(seconds(ledger))
    document(ledger, entity)
    assert ledger.made(entity.kind) == 1


def test_money_goes_on_as_an_act_when_the_order_is_cancelled(ledger):
    entity = ledger.pay()
    document(ledger, entity)
    ledger.order(second=5, payment_terms="Net 30", cancelled_at=ledger.clock())
    ledger.settle()
    assert ledger.committed("cancelled") == 0
    assert ledger.made(Kind.PAYMENT) == 1


def test_an_unpaid_order_that_is_cancelled_is_voided(ledger):
    ledger.order(second=5, payment_terms="Net 30", cancelled_at=ledger.clock())
    ledger.settle()
    assert ledger.committed("cancelled") == 1


# -- by the vendor's own word ----------------------------------------------------------------------


ENTITIES = {
    Kind.ORDER: order_ref(),
    Kind.CUSTOMER: customer_ref(),
    Kind.PAYMENT: ref(Kind.PAYMENT, "shop", "p1"),
    Kind.REFUND: ref(Kind.REFUND, "shop", "r1"),
}


@pytest.mark.parametrize("platform", TARGETS)
def test_every_request_is_one_the_vendors_spec_allows(platform, record_property):
    if not SPECS.is_dir():
        pytest.skip(f"the vendors' specifications are not here: {SPECS}")
    house = TargetHouse(platform)
    validate = importlib.import_module(f"tests.platforms.{platform}.{platform}_spec").validate
    house.customer()
    house.order(payment_terms="Net 30")
    house.settle()
    house.order(cases=5, second=5, payment_terms="Net 30")
    house.settle()
    kinds = {*MANIFESTS[platform].entities.target} & {*ENTITIES}
    if {"Payment", "Refund"} <= kinds:
        house.pay(5)
        house.settle()
        house.refund()
    else:
        house.order(cases=5, second=9, payment_terms="Net 30", cancelled_at=house.clock())
    house.settle()
    done = Counter(validate(request) for request in house.sent())
    for (entity, operation), count in sorted(done.items()):
        record_property("validated", f"{platform} {entity} {operation}: {count}")
    for kind in kinds:
        assert house.link(ENTITIES[kind])["status"] == "synced"
    assert sum(done.values()) == len(house.sent()) > 0
    assert len({entity for entity, _ in done}) >= len(kinds)


FAULTS = [
    {"kind": "status", "status": 401, "body": {"message": "canary-api-key of ada@canary.example"}},
    {"kind": "status", "status": 422, "body": {"message": "Ada Lovelace, 12 Canary Wharf: no"}},
    {"kind": "status", "status": 503, "body": "<p>ada@canary.example</p>"},
    {"kind": "commit_then_silence"},
    {"kind": "truncate"},
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.get("status", fault["kind"])))
@pytest.mark.parametrize("where", ["create", "required"])
def test_nothing_secret_or_personal_leaves_the_parts(placed, fault, where):
    placed.fault(fault["kind"], where, **{k: v for k, v in fault.items() if k != "kind"})
    with captured_logs() as logged:
        placed.work(order_ref())
    texts = [logged(), *(str(event) for _, event in placed.events)]
    texts += [str(row) for key, row in rows(placed) if not key.startswith("PART#")]
    for text in texts:
        for canary in (*PERSONAL, *placed.secret.values()):
            assert canary not in text


def rows(house):
    for entity in (order_ref(), customer_ref()):
        for row in house.rows.query(str(entity)):
            yield row["sk"], row
