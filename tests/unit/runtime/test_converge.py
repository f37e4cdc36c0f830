from __future__ import annotations

import threading
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from itertools import count

import pytest

from fizzbridge.errors import (
    ConfigurationError,
    MappingError,
    OutcomeUnknownError,
    RateLimitedError,
    TargetRejectedError,
    TargetUnavailableError,
)
from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.model.events import DetailType
from fizzbridge.model.order import OrderProcessing
from fizzbridge.model.states import OrderState
from fizzbridge.observation import Seen
from fizzbridge.runtime.converge import SOON
from fizzbridge.runtime.leases import Lease, acquire, release
from fizzbridge.runtime.loading import Loader
from fizzbridge.runtime.observe import Circumstances, Merge
from fizzbridge.runtime.target import DocumentPayload
from fizzbridge.state.moments import to_text
from fizzbridge.state.table import Write
from tests.kit.house import (
    BRIDGE,
    SECOND,
    START,
    Held,
    House,
    KilledError,
    customer_ref,
    line,
    order_ref,
    order_request,
)
from tests.kit.way_back import OWNS, WayBack


def changed(house: House, second: int, **changes) -> None:
    request = order_request(second=second, **changes)
    house.observe(Seen(order_ref(), request, request.changed_at, Part.REQUEST))


def booked_once(house: House, quantity: int = 2) -> None:
    """The target holds one order, as it should be, and the link says so."""
    (held,) = house.orders.of("shop/1")
    assert held.payload is not None
    assert held.payload.lines == (f"COLA330 {quantity}",)
    link = house.link(order_ref())
    assert link["status"] == "synced"
    assert link["wanted"] == link["synced"]
    assert "behind_shard" not in link
    assert "intent" not in link
    assert link["external_id"] in house.orders.objects
    back = house.rows.get(f"EXTERNAL#erp#Order#{link['external_id']}", "ENTITY")
    assert back is not None
    assert back["entity"] == "Order#shop/1"


def test_an_order_is_booked_after_its_customer():
    house = House()
    house.place()
    house.settle()
    booked_once(house)
    (held,) = house.orders.of("shop/1")
    assert held.payload.customer == house.link(customer_ref())["external_id"]
    assert house.customers.counts["create"] == 1
    assert house.announced().count(DetailType.ORDER_BOOKED) == 1


def test_f1_the_same_message_again_makes_no_call():
    house = House()
    house.place()
    house.settle()
    calls = house.orders.counts.copy()
    for _ in range(3):
        house.handle("erp", order_ref())
    assert house.orders.counts == calls


def test_an_old_message_pushes_the_newest_state():
    house = House()
    house.place()
    old = list(house.messages)
    house.drain()
    changed(house, 5, lines=[line(quantity=7)])
    house.drain()
    house.messages.extend(old)
    house.drain()
    booked_once(house, 7)
    assert house.orders.counts["create"] == 1


def steps_of_a_booking() -> int:
    house = House()
    house.place()
    house.settle()
    return house.steps.taken


@pytest.mark.parametrize("kill_at", range(1, steps_of_a_booking() + 1))
def test_f12_killed_at_any_step_ends_as_if_nothing_happened(kill_at):
    house = House()
    house.place()
    house.steps.kill_at = kill_at
    house.settle()
    booked_once(house)
    assert house.orders.counts["create"] == 1
    assert house.customers.counts["create"] == 1


@pytest.mark.parametrize("kill_at", range(1, 40))
def test_f12_killed_while_amending(kill_at):
    house = House()
    house.place()
    house.settle()
    changed(house, 5, lines=[line(quantity=7)])
    house.steps.taken, house.steps.kill_at = 0, kill_at
    house.settle()
    booked_once(house, 7)
    assert house.orders.counts["create"] == 1


def test_f25_committed_without_an_answer_is_found_not_made_again():
    house = House()
    house.orders.script.append("commit_then_unknown")
    house.place()
    house.settle()
    booked_once(house)
    assert house.orders.counts["create"] == 1


def test_f27_nobody_concludes_not_there_while_a_create_may_still_run():
    house = House()
    house.orders.script.append(50)
    house.place()
    house.settle()
    booked_once(house)
    assert house.orders.counts["create"] == 1
    waits = [outcome.after for outcome in house.outcomes if outcome.kind == "retry"]
    assert any(wait and wait > timedelta(seconds=40) for wait in waits)


def test_f27_the_id_is_saved_before_anything_else_can_fail():
    house = House()
    house.place()
    while house.messages[0][0] == "assess":
        house.handle(*house.messages.popleft())
    update, house.orders.update = house.orders.update, refuse_to_update
    assert house.converge.run(order_ref(), "a").kind == "retry"
    (external_id,) = house.orders.objects
    assert house.link(order_ref())["external_id"] == external_id
    # Not even a search that has not caught up yet makes another one.
    house.orders.objects[external_id].visible_at = house.clock() + timedelta(days=1)
    house.orders.update = update
    house.settle()
    booked_once(house)
    assert house.orders.counts["create"] == 1


def refuse_to_update(vendor, external_id, payload):
    raise TargetUnavailableError("down again")


def test_what_moves_during_a_converge_is_brought_before_it_lets_go():
    house = House()
    house.place()
    house.settle()
    changed(house, 5, lines=[line(quantity=3)])
    house.handle(*house.messages.popleft())
    update = house.orders.update

    def meanwhile(vendor, external_id, payload):
        update(vendor, external_id, payload)
        house.orders.update = update
        changed(house, 9, lines=[line(quantity=9)])
        house.assessor.run(order_ref(), "assess")
        house.messages.clear()

    house.orders.update = meanwhile
    assert house.converge.run(order_ref(), "a").kind == "done"
    booked_once(house, 9)


def test_a_create_that_never_happened_is_made_once_it_is_certain():
    house = House()
    house.orders.script.append(10_000)
    house.place()
    house.drain()
    visible = [held for held in house.orders.of("shop/1") if held.visible_at is None]
    assert len(visible) == 1
    assert house.link(order_ref())["status"] == "synced"


def test_cancel_waits_for_an_unknown_create_and_then_cancels_it():
    house = House()
    house.orders.script.append(50)
    house.place()
    to, event = house.messages.popleft()
    while to == "assess" or event.kind != "Order":
        house.handle(to, event)
        to, event = house.messages.popleft()
    house.converge.run(order_ref(), "first")
    changed(house, 9, cancelled_at=house.clock())
    house.settle()
    (held,) = house.orders.of("shop/1")
    assert held.is_cancelled
    assert house.orders.counts["create"] == 1


def test_an_order_cancelled_before_it_was_booked_is_never_made():
    house = House()
    house.place(cancelled_at=house.clock())
    house.settle()
    assert house.orders.objects == {}
    assert house.link(order_ref())["status"] == "synced"


def test_an_order_that_leaves_its_route_is_cancelled_there():
    routes = [
        {"kinds": ["Order"], "from": ["shop"], "to": ["erp"], "where": {"ship_country": ["GB"]}}
    ]
    house = House(routes=routes)
    house.place()
    house.settle()
    booked_once(house)
    changed(house, 5, ship_to={"country": "IE"})
    house.settle()
    (held,) = house.orders.of("shop/1")
    assert held.is_cancelled
    changed(house, 9)
    house.settle()
    (again,) = house.orders.of("shop/1~1")
    assert again.payload is not None
    assert held.is_cancelled


def work_off(house: House) -> None:
    """Work without coming back for what was killed."""
    while house.messages:
        house.handle(*house.messages.popleft())


def test_a_busy_lease_drops_the_message_and_the_sweeper_brings_it_back():
    house = House()
    house.place()
    house.drain()
    changed(house, 5, lines=[line(quantity=3)])
    house.steps.taken, house.steps.kill_at = 0, 8
    with pytest.raises(KilledError):
        work_off(house)
    house.messages.clear()
    house.steps.kill_at = None
    house.settle()
    booked_once(house, 3)


def test_a_worker_that_lost_its_lease_leaves_the_link_suspect():
    house = House()
    house.place()
    while house.messages[0][0] == "assess":
        house.handle(*house.messages.popleft())
    slow = house.orders.create

    def slower_than_the_lease(vendor, reference, payload):
        external_id = slow(vendor, reference, payload)
        house.clock.advance(house.bridge.timing.lease + 1)
        house.orders.create = slow
        house.converge.run(order_ref(), "second worker")
        return external_id

    house.orders.create = slower_than_the_lease
    assert house.converge.run(order_ref(), "first worker").kind == "dropped"
    assert house.link(order_ref())["status"] == "suspect"
    house.settle()
    booked_once(house)
    assert house.orders.counts["create"] == 1


def test_a_missing_mapping_holds_names_it_and_its_appearance_releases():
    house = House()
    house.orders.refuse = MappingError("line l-COLA330: no product COLA330", cause="MAP#erp#sku/X")
    house.place()
    house.settle()
    assert house.orders.counts["create"] == 0
    link = house.link(order_ref())
    assert (link["status"], link["message"]) == ("held", "line l-COLA330: no product COLA330")
    assert house.announced().count(DetailType.ORDER_HELD) == 1
    house.orders.refuse = None
    map_row(house, "MAP#erp#sku", "X", "Y")
    house.settle()
    booked_once(house)
    assert DetailType.ORDER_RELEASED in house.announced()


class Dear(DocumentPayload):
    """A document that comes to whatever it says."""


def test_another_total_is_never_sent():
    house = House()
    total = {"currency": "GBP", "total": Decimal("2.47")}
    house.orders.desired = lambda view, situation: Dear(**total)
    house.place()
    house.settle()
    assert house.orders.objects == {}
    link = house.link(order_ref())
    assert link["status"] == "held"
    assert link["message"] == (
        "order #1 would be 2.47 GBP there and is 2.40 GBP with us, difference -0.07"
    )
    (hold,) = house.rows.query(str(order_ref()), "HOLD#erp#TOTAL_MISMATCH")
    assert hold["blocks"] == "export"
    total["total"] = Decimal("2.40")
    changed = order_request(second=9, note="n")
    house.observe(Seen(order_ref(), changed, changed.changed_at, Part.REQUEST))
    house.settle()
    assert house.orders.counts["create"] == 1


def map_row(house: House, pk: str, sk: str, mapped: str) -> None:
    house.rows.write(Write(pk, sk, set={"mapped": mapped, "updated_at": to_text(house.clock())}))


def test_an_unknown_sku_holds_and_a_map_row_books_it():
    house = House()
    house.place(lines=[line("KOLA")])
    house.settle()
    (hold,) = house.rows.query("Order#shop/1", "HOLD#")
    assert "KOLA" in hold["message"]
    assert hold["cause"] == "MAP#shop#sku/KOLA"
    assert house.orders.objects == {}
    map_row(house, "MAP#shop#sku", "KOLA", "COLA330")
    house.settle()
    (held,) = house.orders.of("shop/1")
    assert held.payload.lines == ("KOLA 2",)
    assert "cause" not in house.rows.query("Order#shop/1", "HOLD#")[0]


def test_an_edit_that_removes_the_cause_releases_the_targets_hold():
    house = House()
    house.orders.refuse = MappingError("no product", cause="MAP#erp#sku/X")
    house.place()
    house.settle()
    house.orders.refuse = None
    changed(house, 5, lines=[line(quantity=4)])
    house.settle()
    booked_once(house, 4)


def test_f21_what_the_business_refuses_is_parked_at_once():
    house = House()
    house.orders.refuse = TargetRejectedError("credit account closed")
    house.place()
    house.settle()
    assert [outcome.kind for outcome in house.outcomes].count("parked") == 1
    link = house.link(order_ref())
    assert (link["status"], link["reason"]) == ("parked", "rejected")
    assert DetailType.EXPORT_FAILED in house.announced()
    assert house.sweep() == 0


def test_new_content_gets_a_parked_order_a_new_try():
    house = House()
    house.orders.refuse = TargetRejectedError("no")
    house.place()
    house.settle()
    house.orders.refuse = None
    changed(house, 5, lines=[line(quantity=9)])
    house.settle()
    booked_once(house, 9)


def test_a_rate_limit_comes_back_after_what_the_vendor_asked():
    house = House()
    house.orders.script.append(RateLimitedError("too many", retry_after=timedelta(seconds=42)))
    house.place()
    house.settle()
    booked_once(house)
    assert timedelta(seconds=42) in [outcome.after for outcome in house.outcomes]


def test_f20_what_nobody_foresaw_is_parked_after_five_attempts():
    house = House()
    house.orders.script.extend(RuntimeError("bug") for _ in range(9))
    house.place()
    house.settle()
    puzzled = [o.kind for o in house.outcomes if o.error and o.error.code == "internal"]
    assert puzzled == ["retry"] * 4 + ["parked"]


def test_what_may_pass_is_tried_for_three_days_and_then_parked():
    house = House()
    house.orders.refuse = TargetUnavailableError("down")
    house.place()
    while house.messages[0][0] == "assess":
        house.handle(*house.messages.popleft())
    assert house.converge.run(order_ref(), "a").kind == "retry"
    house.clock.advance(72 * 3600 + 1)
    assert house.converge.run(order_ref(), "b").kind == "parked"


def test_a_connection_that_does_not_work_parks_nothing():
    house = House()
    house.orders.refuse = ConfigurationError("key expired")
    house.place()
    while house.messages[0][0] == "assess":
        house.handle(*house.messages.popleft())
    outcome = house.converge.run(order_ref(), "a")
    assert outcome.kind == "retry"
    assert house.link(order_ref())["status"] == "behind"


def test_f29_what_a_human_deleted_is_not_made_again():
    house = House()
    house.place()
    house.settle()
    house.orders.objects.clear()
    changed(house, 5, lines=[line(quantity=4)])
    house.settle()
    assert house.orders.objects == {}
    assert house.link(order_ref())["reason"] == "deleted_at_target"


def test_cut_over_links_what_is_there_and_creates_nothing():
    house = House()
    early = START - timedelta(days=3)
    house.place(1, placed_at=early)
    house.place(2, placed_at=early)
    house.orders.objects["Order-old"] = Held("shop/2")
    house.settle()
    assert house.orders.counts["create"] == 0
    assert house.customers.counts["create"] == 0
    assert house.link(order_ref(2))["external_id"] == "Order-old"
    assert "external_id" not in house.link(order_ref(1))
    assert DetailType.ORDER_PLACED not in house.announced()


def test_an_object_of_another_entity_is_never_taken_over():
    house = House()
    house.place(1)
    house.settle()
    house.place(2)
    (external_id,) = house.orders.objects
    house.orders.objects[external_id].reference = "shop/2"
    house.settle()
    assert house.link(order_ref(2))["reason"] == "ambiguous"


def test_i2_lost_hints_are_brought_back_by_the_sweeper():
    house = House()
    house.place()
    house.messages.clear()
    house.settle()
    booked_once(house)


def test_f43_the_targets_own_word_of_what_we_wrote_stops_there():
    house = House()
    house.place()
    house.settle()
    calls = house.orders.counts.copy()
    echoed = OrderProcessing(number="SO-1", state=OrderState.CONFIRMED, changed_at=house.clock())
    seen = Seen(order_ref(), echoed, echoed.changed_at, Part.PROCESSING)
    how = Circumstances(house.clock(), is_authoritative=False)
    assert house.observer.observe("erp", seen, SECOND, how) is Merge.MERGED
    house.settle()
    assert house.orders.counts == calls
    booked_once(house)


# -- what happens meanwhile ----------------------------------------------------------------------


def assessed(house: House) -> House:
    """Placed and assessed; the target has not been asked for anything yet."""
    house.place()
    while house.messages[0][0] == "assess":
        house.handle(*house.messages.popleft())
    return house


def meanwhile(house: House, happens, then=None) -> None:
    """Let something happen while the payload is made, and perhaps an error after it."""
    usual = house.orders.desired

    def desired(view, situation):
        happens()
        if then:
            raise then
        return usual(view, situation)

    house.orders.desired = desired


def lose_the_lease(house: House):
    def happens() -> None:
        house.clock.advance(house.bridge.timing.lease + 1)
        taken = acquire(house.rows, "Order#shop/1", "LINK#erp", "other", 70, house.clock())
        assert isinstance(taken, Lease)

    return happens


def move(house: House):
    seconds = count(5)

    def happens() -> None:
        changed(house, next(seconds), lines=[line(quantity=3)], note=f"{house.clock()}")
        house.assessor.run(order_ref(), f"assess-{house.clock()}")

    return happens


@pytest.mark.parametrize(
    "trouble",
    [
        TargetRejectedError("no"),
        RateLimitedError("slow"),
        MappingError("no product", cause="MAP#erp#sku/X"),
        RuntimeError("bug"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_goes_wrong_after_the_lease_was_lost_leaves_the_link_suspect(trouble):
    house = assessed(House())
    meanwhile(house, lose_the_lease(house), trouble)
    assert house.converge.run(order_ref(), "slow").kind == "dropped"
    link = house.link(order_ref())
    assert (link["status"], link["holder"]) == ("suspect", "other")
    assert "behind_shard" in link


def test_f26_a_late_write_of_a_worker_that_lost_its_lease_is_found_and_put_right():
    """The slow worker's old payload reaches the target while the quick one is at work there."""
    house = assessed(House())
    update = house.orders.update
    may_go, is_there = threading.Event(), threading.Event()

    def slow_worker() -> None:
        assert house.converge.run(order_ref(), "slow").kind == "dropped"

    def slow(vendor, external_id, payload):
        house.orders.update = quick
        is_there.set()
        assert may_go.wait(5)
        update(vendor, external_id, payload)

    def quick(vendor, external_id, payload):
        update(vendor, external_id, payload)
        house.orders.update = update
        may_go.set()
        thread.join(5)

    house.orders.update = slow
    thread = threading.Thread(target=slow_worker)
    thread.start()
    assert is_there.wait(5)
    house.clock.advance(house.bridge.timing.lease + 1)
    changed(house, 5, lines=[line(quantity=7)])
    house.assessor.run(order_ref(), "assess")
    assert house.converge.run(order_ref(), "quick").kind == "done"
    booked_once(house, 7)


def test_another_object_of_the_order_is_told_of_where_a_worker_was_overtaken():
    house = House()
    house.place()
    house.settle()
    (known,) = house.orders.objects
    house.orders.objects[known].reference = "cut off by somebody"
    house.orders.objects["Order-late"] = Held("shop/1")
    suspect = {"status": "suspect", "wanted": "again"}
    house.rows.write(Write("Order#shop/1", "LINK#erp", set=suspect, remove=["synced"]))
    assert house.converge.run(order_ref(), "next").kind == "parked"
    link = house.link(order_ref())
    assert (link["reason"], link["external_id"]) == ("ambiguous", known)
    assert link["message"] == f"erp holds {known} and Order-late of Order#shop/1"


@pytest.mark.parametrize(
    "trouble",
    [TargetRejectedError("no"), MappingError("no product", cause="MAP#erp#sku/X")],
    ids=lambda error: type(error).__name__,
)
def test_what_is_not_wanted_any_more_is_neither_parked_nor_held(trouble):
    house = assessed(House())
    meanwhile(house, move(house), trouble)
    outcome = house.converge.run(order_ref(), "a")
    assert (outcome.kind, outcome.after) == ("retry", timedelta(0))
    link = house.link(order_ref())
    assert link["status"] == "behind"
    assert "behind_shard" in link
    assert "holder" not in link


def test_what_keeps_moving_is_left_to_the_next_hint():
    house = assessed(House())
    meanwhile(house, move(house))
    assert house.converge.run(order_ref(), "a").kind == "dropped"
    link = house.link(order_ref())
    assert link["wanted"] != link["synced"]
    assert "behind_shard" in link
    assert "holder" not in link
    del house.orders.desired
    house.settle()
    booked_once(house, 3)


def test_a_customer_without_a_counterpart_is_held_for_itself():
    house = House()
    house.customers.refuse = MappingError("no country XK", cause="MAP#erp#country/XK")
    house.place()
    house.settle(rounds=2)
    assert house.link(customer_ref())["status"] == "held"
    (hold,) = house.rows.query(str(customer_ref()), "HOLD#")
    assert "content" not in hold
    assert house.orders.objects == {}
    house.customers.refuse = None
    map_row(house, "MAP#erp#country", "XK", "Kosovo")
    house.settle()
    booked_once(house)


def test_an_order_nobody_has_assessed_is_nothing_to_export():
    house = House()
    house.rows.write(Write("Order#shop/1", "LINK#erp", set={"wanted": "w"}))
    assert house.converge.run(order_ref(), "a").kind == "done"
    assert house.orders.counts == {}


def test_what_was_linked_at_the_cut_over_is_not_looked_for_again():
    house = House()
    house.orders.objects["Order-old"] = Held("shop/1")
    house.place(placed_at=START - timedelta(days=3))
    house.settle()
    finds = house.orders.counts["find"]
    changed(house, 5, placed_at=START - timedelta(days=3), note="late")
    house.settle()
    assert house.orders.counts["find"] == finds
    assert house.link(order_ref())["external_id"] == "Order-old"
    assert house.orders.objects["Order-old"].payload is None


def test_an_attempt_that_failed_is_on_the_timeline():
    house = House()
    house.orders.script.append(RateLimitedError("too many"))
    house.place()
    house.settle()
    lines = house.rows.query("Order#shop/1", "TIMELINE#")
    (attempt,) = [line for line in lines if line["what"] == "attempt"]
    assert (attempt["connection"], attempt["outcome"]) == ("erp", "retry")
    assert (attempt["reason"], attempt["message"]) == ("rate_limited", "too many")


def test_an_order_whose_customer_another_worker_is_bringing_comes_again_soon():
    house = House()
    house.place()
    while house.messages[0][0] == "assess":
        house.handle(*house.messages.popleft())
    other = acquire(house.rows, str(customer_ref()), "LINK#erp", "other", 70, house.clock())
    assert isinstance(other, Lease)
    outcome = house.converge.run(order_ref(), "a")
    assert (outcome.kind, outcome.after) == ("retry", SOON)
    release(house.rows, other)
    house.settle()
    booked_once(house)


# -- what is said and done while a call runs ------------------------------------------------------


def after_update(house: House, happens) -> None:
    """Let something happen once the target has done its next update, before it answers."""
    update = house.orders.update

    def updated(vendor, external_id, payload):
        update(vendor, external_id, payload)
        house.orders.update = update
        happens()

    house.orders.update = updated


def unheard() -> None:
    raise OutcomeUnknownError("no answer")


def test_an_update_unheard_of_and_then_taken_back_is_not_taken_for_done():
    house = House()
    house.place()
    house.settle()
    after_update(house, unheard)
    update = house.orders.update
    changed(house, 30, lines=[line(quantity=3)])
    while house.orders.update is update:
        house.handle(*house.messages.popleft())
    (held,) = house.orders.of("shop/1")
    assert held.payload.lines == ("COLA330 3",)
    changed(house, 60)
    house.settle()
    booked_once(house)


def test_what_the_erp_says_while_a_link_is_compared_is_not_forgotten():
    house = WayBack()
    house.stock("COLA330", 100)
    house.settle()
    order = house.place()
    house.settle()
    suspect = {"status": "suspect", "wanted": "suspect"}
    house.rows.write(Write(str(order), "LINK#erp", set=suspect, remove=["synced"]))
    after_update(house, lambda: house.process(order, "S1", OrderState.CANCELLED))
    house.converge.run(order, "compares")
    house.settle()
    found = Loader(house.rows, house.objects).view(order).assessment
    assert found.state is OrderState.CANCELLED


def brought(kill_at: int | None = None, *, is_confirmed: bool) -> tuple[WayBack, int]:
    """An order of sixty, reserved by its ERP; the worker that brings it there may die at a step.

    Returns:
        The house, and how many steps it took to bring the order.
    """
    shop, erp = BRIDGE["connections"]
    erp = erp | {"roles": OWNS if is_confirmed else ["stock"], "settings": {"warehouse": "WH"}}
    house = WayBack(connections=[shop, erp], routes=BRIDGE["routes"])
    house.stock("COLA330", 100)
    house.settle()
    order = house.place(lines=[line(quantity=60)])
    house.assess_all()

    def said():
        house.process(order, "S1", OrderState.CONFIRMED)
        house.assess_all()

    if is_confirmed:  # its webhook is quick
        after_update(house, said)
    house.steps.taken, house.steps.kill_at = 0, kill_at
    with suppress(KilledError):
        house.converge.run(order, "brings")
    taken, house.steps.kill_at = house.steps.taken, None
    house.clock.advance(house.bridge.timing.lease + 1)
    house.settle()
    house.stock("COLA330", 100, reserved=60)
    house.settle()
    return house, taken


@pytest.mark.parametrize(
    ("is_confirmed", "kill_at"),
    [(one, step) for one in (True, False) for step in range(1, 1 + brought(is_confirmed=one)[1])],
)
def test_a_worker_that_dies_leaves_nothing_in_flight(is_confirmed, kill_at):
    house, taken = brought(kill_at, is_confirmed=is_confirmed)
    assert taken == kill_at
    booked_once(house, 60)
    assert house.record(ref(Kind.STOCK_LEVEL, "erp", "COLA330@WH")).available == 40
