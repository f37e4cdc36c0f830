"""The stand-in for a company's own system tells, shows and takes canonical records strictly."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from platforms.standard.sandbox import PAUSES, make
from platforms.standard.sandbox_records import KINDS, mistakes, schema_of
from sandbox.faults import Fault
from tests.kit.source import fixtures
from tests.kit.stand import START, Stand

ROOT = Path(__file__).parents[3]
EVENTS = ROOT / "events" / "standard"
SCHEMAS = sorted((ROOT / "events" / "schemas" / "records").glob("*.json"))
POST = "whsec_" + base64.b64encode(b"post-secret-of-24-bytes!").decode()
OLD = "whsec_" + base64.b64encode(b"the-one-before-24-bytes!").decode()
TOLD = "whsec_" + base64.b64encode(b"webhook-secret-24-bytes!").decode()
COLA = {"sku": "COLA330", "name": "Cola 330 ml can"}


class System(Stand):
    """The system, who reads it with its token, and who posts to it."""

    def __init__(self, **seed: Any) -> None:
        facts = {
            "token": "t-1",
            "post_secrets": [OLD, POST],
            "webhook_uri": "https://bridge.example/webhooks/pim",
            "webhook_secret": TOLD,
        }
        auth = {"Authorization": "Bearer t-1"}
        super().__init__(make(facts | seed), "https://pim.example", headers=auth)

    def put(self, kind: str, number: str, record: Any, **how: Any) -> httpx.Response:
        path = f"/_sandbox/records/{kind}/{number}"
        return self.http.put(path, json={"record": record} | how)

    def post(self, event: dict, number: str = "msg_1", **spoilt: Any) -> httpx.Response:
        """Post as the bridge does; of what is given, the headers are as they are given."""
        body = spoilt.pop("body", json.dumps(event).encode())
        second = spoilt.pop("second", str(int(self.now.timestamp())))
        secret = spoilt.pop("secret", POST)
        headers = {"content-type": "application/json", "webhook-id": number}
        headers |= {
            "webhook-timestamp": second,
            "webhook-signature": "v1," + proof(secret, number, second, body),
        }
        headers |= {name.replace("_", "-"): value for name, value in spoilt.items()}
        kept = {name: value for name, value in headers.items() if value is not None}
        return self.http.post("/fizzbridge", content=body, headers=kept)


def proof(secret: str, number: str, second: str, body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{number}.{second}.".encode() + body
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def event(kind: str = "StockLevel", key: str = "erp/cola-330@LEEDS", **data: Any) -> dict:
    record = {"product": "erp/cola-330", "location": "LEEDS", "on_hand": 5}
    told = {"kind": kind, "key": key, "revision": 1, "record": record} | data
    return {"type": f"{kind}Changed", "timestamp": "2026-11-20T10:00:00Z", "data": told}


# -- what it tells ---------------------------------------------------------------------------------


def test_a_record_is_told_signed_as_the_scheme_says():
    system = System()
    shown = system.put("products", "cola-330", COLA).json()
    (sent,) = system.deliveries
    headers = sent.headers
    second = headers["webhook-timestamp"]
    assert (
        headers["webhook-signature"]
        == f"v1,{proof(TOLD, headers['webhook-id'], second, sent.body)}"
    )
    assert int(second) == START.timestamp()
    assert json.loads(sent.body) == {
        "type": "product.updated",
        "timestamp": "2026-11-20T10:00:00Z",
        "data": {"id": "cola-330", "changed_at": "2026-11-20T10:00:00Z", "record": COLA},
    }
    assert shown == json.loads(sent.body)["data"]


def test_the_scheme_s_own_example():
    """Of the specification's text: a secret, an id, a time, a body and the proof."""
    secret, number = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek"
    body = b'{"test": 2432232314}'
    expected = "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert proof(secret, number, "1614265330", body) == expected
    system = System(post_secrets=[secret])
    system.now = datetime.fromisoformat("2021-02-25T15:02:10+00:00")
    answer = system.post({}, number, body=body, second="1614265330", secret=secret)
    assert answer.status_code == 422, "proven, and no post of ours"


def test_several_secrets_sign_side_by_side():
    system = System(webhook_secret=f"{TOLD} {OLD}")
    system.put("products", "cola-330", COLA)
    proofs = system.deliveries[0].headers["webhook-signature"].split(" ")
    assert len(proofs) == 2
    assert all(one.startswith("v1,") for one in proofs)
    assert proofs[0] != proofs[1]


def test_every_attempt_has_its_own_time_and_the_id_of_the_first():
    system = System()
    system.put("products", "cola-330", COLA)
    seen = []
    system.sandbox.send = lambda one: seen.append(one) or (503 if len(seen) == 1 else 204)
    (number,) = (one.id for one in system.deliveries)
    assert system.sandbox.outbox.send([number]) == [503]
    system.tick(300)
    assert system.sandbox.outbox.send([number]) == [204]
    first, second = (one.headers for one in seen)
    assert first["webhook-id"] == second["webhook-id"]
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 300
    at = second["webhook-timestamp"]
    expected = f"v1,{proof(TOLD, second['webhook-id'], at, seen[1].body)}"
    assert second["webhook-signature"] == expected
    assert system.deliveries[0].status == "accepted"
    assert PAUSES[:3] == (5, 300, 1800)
    assert sum(PAUSES) / 3600 > 24


def test_who_is_gone_is_told_nothing_more_until_there_is_an_address_again():
    system = System()
    system.put("products", "cola-330", COLA)
    system.sandbox.send = lambda one: 410
    system.sandbox.outbox.send([system.deliveries[0].id])
    system.put("products", "cola-330", COLA | {"name": "Cola"})
    assert len(system.deliveries) == 1
    system.http.put("/_sandbox/webhook_uri", json={"uri": "https://bridge.example/again"})
    system.put("products", "cola-330", COLA)
    assert system.deliveries[-1].uri == "https://bridge.example/again"
    assert len(system.deliveries) == 2


def test_a_deletion_is_told_without_a_record_and_shown_with_none():
    system = System()
    system.put("products", "cola-330", COLA)
    system.tick(0.5)
    answer = system.http.delete("/_sandbox/records/products/cola-330")
    gone = {"id": "cola-330", "changed_at": "2026-11-20T10:00:00.500000Z"}
    assert answer.json() == gone | {"record": None}
    body = json.loads(system.deliveries[-1].body)
    assert (body["type"], body["data"]) == ("product.deleted", gone)
    shown = system.http.get("/v1/products/cola-330")
    assert (shown.status_code, shown.json()) == (200, gone | {"record": None})
    assert system.http.get("/v1/products").json()["items"] == [gone | {"record": None}]


def test_an_order_has_two_parts_that_change_alone():
    system = System()
    booked = {"number": "SO-1", "state": "CONFIRMED"}
    system.put("orders", "shop-uk/5501", booked, part="processing")
    data = json.loads(system.deliveries[-1].body)["data"]
    assert (data["id"], data["part"], data["record"]) == ("shop-uk/5501", "processing", booked)
    assert system.http.get("/v1/orders/shop-uk/5501").json() == data
    assert system.http.get("/v1/orders/shop-uk/5501?part=processing").json() == data
    assert system.http.get("/v1/orders/shop-uk/5501?part=request").status_code == 404
    assert system.http.get("/v1/orders/shop-uk/5501?part=told").status_code == 400


@pytest.mark.parametrize(
    ("kind", "number", "given"),
    [
        ("products", "cola-330", {"record": COLA | {"colour": "brown"}}),
        ("products", "cola-330", {"record": {"sku": "COLA330"}}),
        ("products", "cola 330", {"record": COLA}),
        ("products", "cola-330", {"record": COLA, "part": "request"}),
        ("products", "cola-330", {"record": COLA, "changed_at": "2026-11-20T10:00:00"}),
        ("products", "cola-330", {}),
        ("parties", "p", {"record": {}}),
        ("orders", "1", {"record": {}, "part": "told"}),
    ],
)
def test_what_is_no_record_is_not_kept(kind, number, given):
    system = System()
    answer = system.http.put(f"/_sandbox/records/{kind}/{number}", json=given)
    assert (answer.status_code, list(answer.json())) == (422, ["error"])
    assert system.deliveries == []


def test_what_is_no_record_is_told_where_a_test_wants_it():
    system = System()
    assert system.put("products", "cola-330", {"odd": 1}, unchecked=True).status_code == 200
    assert system.bodies()[0]["data"]["record"] == {"odd": 1}
    assert system.http.delete("/_sandbox/records/products/none").status_code == 422


def test_nobody_is_told_without_an_address_nor_of_what_the_seed_has():
    rows = [{"kind": "products", "id": "cola-330", "record": COLA}]
    assert System(records=rows).deliveries == []
    system = System(webhook_uri="")
    system.put("products", "cola-330", COLA)
    assert system.deliveries == []
    assert system.http.get("/v1/products/cola-330").json()["record"] == COLA


# -- what it shows ---------------------------------------------------------------------------------


def many(count: int, **how: Any) -> System:
    rows = [
        {"kind": "products", "id": f"p-{n:03}", "record": COLA | {"sku": f"P{n}"}} | how
        for n in range(count)
    ]
    system = System(records=rows)
    system.http.post("/_sandbox/reset")
    return system


def pages(system: System, **asked: Any) -> list[list[str]]:
    found, after = [], None
    while True:
        params = asked | ({"after": after} if after else {})
        shown = system.http.get("/v1/products", params=params).json()
        found.append([one["id"] for one in shown["items"]])
        after = shown["next"]
        if after is None:
            return found


def test_records_of_one_moment_are_paged_by_id_and_none_is_lost():
    system = many(5)
    assert pages(system, limit=2) == [["p-000", "p-001"], ["p-002", "p-003"], ["p-004"]]
    assert pages(system, limit=5) == [["p-000", "p-001", "p-002", "p-003", "p-004"]]
    assert pages(many(0)) == [[]]


def test_a_list_begins_with_the_time_it_is_asked_for():
    system = many(1)
    system.tick(1)
    system.put("products", "late", COLA)
    assert pages(system) == [["p-000", "late"]]
    assert pages(system, changed_since="2026-11-20T10:00:01Z") == [["late"]], "included"
    assert pages(system, changed_since="2026-11-20T11:00:00.000001+01:00") == [["late"]]
    assert pages(system, changed_since="2026-11-20T10:00:01.000001Z") == [[]]


def test_a_record_that_changes_meanwhile_moves_to_the_end():
    system = many(3)
    first = system.http.get("/v1/products?limit=1").json()
    system.tick()
    system.put("products", "p-001", COLA)
    asked = {"limit": 9, "after": first["next"]}
    rest = system.http.get("/v1/products", params=asked).json()
    assert [one["id"] for one in rest["items"]] == ["p-002", "p-001"]


def test_times_with_other_offsets_are_sorted_as_moments():
    system = System()
    system.put("products", "b", COLA, changed_at="2026-11-20T10:00:00+01:00")
    system.put("products", "a", COLA, changed_at="2026-11-20T09:30:00Z")
    assert pages(system) == [["b", "a"]]
    assert system.http.get("/v1/products/b").json()["changed_at"] == "2026-11-20T09:00:00Z"


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=x",
        "changed_since=yesterday",
        "changed_since=2026-11-20T10:00:00",
        "after=nonsense",
        "page=2",
    ],
)
def test_a_list_refuses_what_it_does_not_know(query):
    answer = many(1).http.get(f"/v1/products?{query}")
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


@pytest.mark.parametrize(
    ("auth", "path", "status"),
    [
        ("Bearer t-1", "/v1/products", 200),
        ("Bearer t-2", "/v1/products", 401),
        ("Basic t-1", "/v1/products", 401),
        ("", "/v1/products/p-000", 401),
        ("Bearer t-1", "/v1/products/none", 404),
        ("Bearer t-1", "/v1/parties", 404),
        ("Bearer t-1", "/v1/product", 404),
    ],
)
def test_who_may_read_what_there_is(auth, path, status):
    answer = many(1).http.get(path, headers={"Authorization": auth})
    assert answer.status_code == status


def test_a_system_may_have_some_lists_only():
    system = System(offers=["stock_levels"])
    assert system.http.get("/v1/stock_levels").json() == {"items": [], "next": None}
    assert system.http.get("/v1/products").status_code == 404


# -- what it takes ---------------------------------------------------------------------------------


def test_a_post_is_kept_by_its_entity():
    system = System()
    assert system.post(event()).status_code == 202
    assert system.post(event(revision=2), "msg_2").status_code == 202
    assert system.post(event(key="erp/tonic@LEEDS"), "msg_3", secret=OLD).status_code == 202
    key = "StockLevel#erp/cola-330@LEEDS"
    received = system.http.get("/_sandbox/received", params={"key": key}).json()
    assert [(one["id"], one["data"]["revision"]) for one in received] == [
        ("msg_1", 1),
        ("msg_2", 2),
    ]
    assert len(system.http.get("/_sandbox/received").json()) == 3
    assert system.http.get("/_sandbox/received/known").json()[key] == received[-1]
    assert system.sandbox.accepted == {"StockLevelChanged": 3}


def test_a_post_that_comes_again_is_answered_and_counted_apart():
    system = System()
    system.post(event())
    system.tick(60)
    assert system.post(event() | {"timestamp": "2026-11-20T10:01:00Z"}).status_code == 200
    assert system.post(event(revision=9)).status_code == 200, "its id is all that counts"
    assert len(system.sandbox.inbox.posts) == 1
    counts = {"StockLevelChanged": 1, "repeated": 1, "repeated_otherwise": 1}
    assert system.sandbox.accepted == counts


def test_a_post_that_came_late_does_not_become_what_is_known():
    system = System()
    system.post(event(revision=2))
    system.post(event(revision=1), "msg_2")
    known = system.sandbox.inbox.known["StockLevel#erp/cola-330@LEEDS"]
    assert (known["data"]["revision"], system.sandbox.accepted["late"]) == (2, 1)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"secret": TOLD},
        {"second": "1763632799"},
        {"second": str(int(START.timestamp()) - 301)},
        {"second": str(int(START.timestamp()) + 301)},
        {"second": "soon"},
        {"webhook_id": None},
        {"webhook_id": "msg_2"},
        {"webhook_timestamp": None},
        {"webhook_signature": None},
        {"webhook_signature": "v1,"},
        {"webhook_signature": "v2,abc v1a,abc"},
        {"number": "msg.1"},
    ],
)
def test_a_post_that_nobody_proved_is_refused(spoilt):
    system = System()
    assert system.post(event(), **spoilt).status_code == 401
    assert (system.sandbox.inbox.posts, system.sandbox.accepted) == ([], {"refused": 1})


def test_one_proof_of_several_is_enough_and_five_minutes_are():
    system = System()
    body = json.dumps(event()).encode()
    second = str(int(START.timestamp()) - 300)
    good = f"v1,bm9uZQ== v1,{proof(POST, 'msg_1', second, body)} v1a,x"
    assert system.post(event(), second=second, webhook_signature=good).status_code == 202


@pytest.mark.parametrize(
    ("post", "status"),
    [
        (b"not json", 400),
        (b"[]", 422),
        (event() | {"more": 1}, 422),
        (event() | {"type": "stock_level.updated"}, 422),
        (event() | {"timestamp": "2026-11-20T10:00:00"}, 422),
        (event() | {"data": []}, 422),
        (event(kind="Party"), 422),
        (event(key="cola-330"), 422),
        (event(revision="1"), 422),
        (event(revision=None), 422),
        (event(record={"product": "erp/cola-330"}), 422),
        (event(record={"product": "erp/x", "location": "L", "on_hand": 1, "odd": 1}), 422),
        (event(kind="Order", processing={"number": "SO-1"}, record=None), 422),
    ],
)
def test_a_post_that_is_not_as_agreed_is_refused(post, status):
    system = System()
    body = post if isinstance(post, bytes) else json.dumps(post).encode()
    answer = system.post({}, body=body)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]
    assert system.sandbox.accepted == {"refused": 1}
    assert system.post(event(), content_type="text/plain").status_code == 415


def test_an_entity_that_stands_no_more_is_posted_without_its_record():
    system = System()
    system.post(event(revision=3))
    post = event(record=None) | {"type": "StockLevelWithdrawn"}
    del post["data"]["revision"]
    assert system.post(post, "msg_2").status_code == 202
    assert system.sandbox.inbox.known["StockLevel#erp/cola-330@LEEDS"]["id"] == "msg_2"
    assert system.sandbox.accepted == {"StockLevelChanged": 1, "StockLevelWithdrawn": 1}


def test_it_misbehaves_on_demand_and_what_it_did_is_not_done_again():
    system = System()
    pause = Fault("status", on="POST /fizzbridge", status=429, headers={"Retry-After": "17"})
    system.sandbox.faults.arm(pause, Fault("status", on="POST", status=410))
    answer = system.post(event())
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "17")
    assert system.post(event()).status_code == 410
    system.sandbox.faults.arm(Fault("commit_then_silence", on="POST /fizzbridge"))
    with pytest.raises(httpx.ReadTimeout):
        system.post(event())
    assert system.post(event()).status_code == 200
    assert system.sandbox.accepted == {"StockLevelChanged": 1, "repeated": 1}


def test_what_was_taken_may_be_lost():
    system = System()
    system.post(event())
    system.post(event(key="erp/tonic@LEEDS"), "msg_2")
    key = "StockLevel#erp/cola-330@LEEDS"
    assert system.http.post("/_sandbox/received/forget", json={"key": key}).json() == {}
    assert list(system.sandbox.inbox.known) == ["StockLevel#erp/tonic@LEEDS"]
    system.http.post("/_sandbox/received/forget", json={})
    assert (system.sandbox.inbox.posts, system.sandbox.inbox.known) == ([], {})


def test_it_bears_so_many_calls_in_a_minute():
    system = System(limits={"per_minute": 2})
    answers = [system.post(event(), f"msg_{n}").status_code for n in range(3)]
    assert answers == [202, 202, 429]
    assert system.http.get("/_sandbox/load").json()["peak_per_minute"] == 3


# -- over its counter ------------------------------------------------------------------------------


def counter() -> tuple[System, dict]:
    facts = json.loads((EVENTS / "source.json").read_text())
    return System(**facts["seed"] | {"token": "t-1"}), facts


def test_an_order_is_taken_and_everything_that_follows_is_told():
    system, facts = counter()
    made = system.http.post("/_sandbox/orders", json=facts["draft"])
    assert made.status_code == 201
    number = made.json()["id"]
    record = made.json()["order"]["record"]
    assert record["totals"] == {"net": "40.75", "tax": "8.15", "gross": "48.90"}
    assert [(one["type"], one["amount"], one["tax"]) for one in record["lines"]] == [
        ("GOODS", "26.40", "5.28"),
        ("GOODS", "9.40", "1.88"),
        ("FREIGHT", "4.95", "0.99"),
    ]
    assert (record["customer"], record["company"]["name"]) == ("c-1", "Canary Pop Ltd")
    for action in ("update", "pay", "ship", "return", "refund", "cancel", "delete"):
        system.tick()
        answer = system.http.post(f"/_sandbox/orders/{number}/{action}", json=facts[action])
        assert answer.status_code == 200, answer.text
    assert system.topics() == [
        "customer.updated",
        "order.updated",
        "order.updated",
        "payment.updated",
        "invoice.updated",
        "shipment.updated",
        "return.updated",
        "refund.updated",
        "order.updated",
        "order.deleted",
    ]
    told = {one["type"]: one["data"]["record"] for one in system.bodies()[:-1]}
    assert (told["payment.updated"]["amount"], told["refund.updated"]["amount"]) == (
        "48.90",
        "5.00",
    )
    assert told["order.updated"]["note"] == "no ring"
    assert told["order.updated"]["cancelled_at"] == "2026-11-20T10:06:00Z"
    assert [one["quantity"] for one in told["shipment.updated"]["lines"]] == [2, 1]
    assert system.sandbox.accepted == {"orders": 1}


def test_an_order_is_booked_in_its_other_part():
    system, facts = counter()
    number = system.http.post("/_sandbox/orders", json=facts["draft"]).json()["id"]
    booked = system.http.post(f"/_sandbox/orders/{number}/book", json={}).json()["record"]
    assert (booked["part"], booked["record"]["state"]) == ("processing", "CONFIRMED")
    assert system.http.get(f"/v1/orders/{number}").json()["part"] == "request"
    listed = system.http.get("/v1/orders").json()["items"]
    assert {one["part"] for one in listed} == {"request", "processing"}


def test_a_guest_is_known_by_the_order():
    system, _ = counter()
    lines = [{"sku": "TONIC-12", "quantity": 1}]
    order = system.http.post("/_sandbox/orders", json={"lines": lines}).json()["order"]
    assert order["record"]["customer"] == f"order:{order['id']}"


@pytest.mark.parametrize(
    ("path", "given", "status"),
    [
        ("", {"lines": [{"sku": "NONE", "quantity": 1}]}, 422),
        ("", {"wrong": 1}, 422),
        ("", [], 422),
        ("/1000/explode", {}, 404),
        ("/9/cancel", {}, 422),
        ("/1000/refund", {}, 422),
        ("/1000/refund", {"amount": 5}, 200),
        ("/1000/update", {"totals": {}}, 422),
        ("/1000/ship", {"carrier": 5}, 422),
    ],
)
def test_what_cannot_be_done_is_said(path, given, status):
    system, facts = counter()
    system.http.post("/_sandbox/orders", json=facts["draft"])
    assert system.http.post(f"/_sandbox/orders{path}", json=given).status_code == status


def test_starting_afresh_keeps_the_seed_only():
    system, facts = counter()
    system.http.post("/_sandbox/orders", json=facts["draft"])
    system.post(event())
    system.http.post("/_sandbox/reset")
    assert system.http.get("/v1/orders").json()["items"] == []
    assert len(system.http.get("/v1/products").json()["items"]) == 2
    assert (system.deliveries, system.sandbox.inbox.posts, system.sandbox.accepted) == ([], [], {})


# -- the deliveries on file ------------------------------------------------------------------------


def told() -> list[tuple[str, dict]]:
    bodies = (json.loads(one.body) for one in fixtures("standard"))
    return [(body["type"], body["data"]) for body in bodies]


def test_every_kind_is_told_and_ended_on_file():
    words = {name.removesuffix("s") for name in KINDS}
    assert {topic for topic, _ in told()} == {
        f"{word}.{end}" for word in words for end in ("updated", "deleted")
    }


@pytest.mark.parametrize("fixture", fixtures("standard"), ids=lambda one: one.name)
def test_what_is_told_on_file_is_as_published(fixture):
    body = json.loads(fixture.body)
    word, _, end = body["type"].partition(".")
    data = body["data"]
    assert fixture.name.startswith(f"{word}_{end}__")
    assert ("record" in data) == (end == "updated")
    if end == "updated":
        assert mistakes(written_by(body["type"], data), data["record"]) == []


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.stem)
def test_every_field_that_is_published_is_told_on_file(path):
    schema = json.loads(path.read_text())
    name = path.name.removesuffix(".v1.json")
    records = [data["record"] for topic, data in told() if written_by(topic, data) == name]
    assert records
    seen = {key for record in records for key in keys(record)}
    assert fields(schema, schema.get("$defs", {})) - seen == set()


def written_by(topic: str, data: dict) -> str:
    word, _, end = topic.partition(".")
    if end == "deleted":
        return ""
    return schema_of(f"{word}s", data.get("part"))


def keys(value: Any, path: str = "") -> set[str]:
    if isinstance(value, list):
        return {one for row in value for one in keys(row, path)}
    if not isinstance(value, dict):
        return set()
    return {f"{path}/{name}" for name in value} | {
        one for name, inner in value.items() for one in keys(inner, f"{path}/{name}")
    }


def fields(schema: Any, defs: dict, path: str = "") -> set[str]:
    if "$ref" in schema:
        schema = defs[schema["$ref"].rpartition("/")[2]]
    found = set()
    inners = [*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else [])]
    for inner in inners:
        found |= fields(inner, defs, path)
    for name, inner in schema.get("properties", {}).items():
        found |= {f"{path}/{name}"} | fields(inner, defs, f"{path}/{name}")
    return found
