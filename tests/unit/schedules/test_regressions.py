"""Schedules that once showed something, kept step by step.

Each was found by the machine in ``test_bridge_model`` and made as short as it gets, or tells a rule
of the protocol in as few steps as it takes to break it.
"""

from __future__ import annotations

from tests.kit.schedule import replay

PLACED = [("change", 1, "quantity"), ("work", 40)]


def test_a_cancel_nobody_noted_is_carried_through_before_the_order_comes_back():
    schedule = replay(
        *PLACED,
        ("interrupt", "converge: after cancel", "crash"),
        ("change", 1, "abroad"),
        ("work", 40),
        ("wait", 301),
        ("sweep_up",),
        ("work", 1),
        ("change", 1, "home"),
    )
    assert schedule.counts["crash"] == 1
    assert schedule.orders.objects["Order-1"].is_cancelled
    assert schedule.orders.objects["Order-2"].reference == "shop/1~1"


def test_a_parked_order_keeps_its_reason_though_a_hint_of_it_goes_wrong():
    schedule = replay(
        *PLACED,
        ("discard", 1),
        ("change", 1, "quantity"),
        ("work", 40),
        ("interrupt", "converge: before release", "throttle"),
        *[("repeat", which) for which in range(4)],
    )
    assert schedule.counts["throttle"] == 1
    assert schedule.counts["recreate"] == 1


def test_a_customer_that_is_parked_keeps_its_order_until_somebody_has_looked():
    schedule = replay(
        ("interrupt", "converge: before create", "refused"),
        ("change", 1, "quantity"),
    )
    assert schedule.counts["redrive"] == 1


def test_a_create_nobody_heard_of_is_waited_for():
    schedule = replay(
        ("interrupt", "converge: after create", "late reply", 1), ("change", 1, "quantity")
    )
    assert schedule.orders.counts["create"] == 1


def test_a_create_of_a_worker_that_died_is_waited_for():
    schedule = replay(
        ("interrupt", "converge: after create", "crash in a call", 1), ("change", 1, "quantity")
    )
    assert schedule.orders.counts["create"] == 1


def test_a_cancel_waits_for_a_create_nobody_heard_of():
    schedule = replay(
        ("interrupt", "converge: after create", "late reply", 1),
        ("meanwhile", "converge: after intent", "cancel", 1),
        ("change", 1, "quantity"),
    )
    assert [held.is_cancelled for held in schedule.orders.objects.values()] == [True]


def test_an_order_that_comes_back_to_its_route_is_another_object():
    schedule = replay(
        *PLACED,
        ("change", 1, "abroad"),
        ("work", 40),
        ("wait", 301),
        ("sweep_up",),
        ("work", 40),
        ("change", 1, "home"),
    )
    made = [held.reference for held in schedule.orders.objects.values()]
    assert made == ["shop/1", "shop/1~1"]


def test_what_comes_during_an_update_is_brought_after_it():
    replay(*PLACED, ("meanwhile", "converge: after update", "quantity"), ("change", 1, "quantity"))


def test_what_comes_during_an_assessment_is_assessed_after_it():
    replay(*PLACED, ("meanwhile", "assess: before save", "quantity"), ("change", 1, "quantity"))


def test_what_comes_while_an_assessment_finds_nothing_to_do_is_assessed():
    replay(
        *PLACED,
        ("meanwhile", "assess: before rest", "quantity"),
        ("repeat", 1),
    )


def test_without_a_fetch_the_words_of_one_second_end_alike_in_every_order():
    told = [("change", 1, "quantity", second > 0, "late") for second in range(4)]
    held = set()
    for turn in range(4):
        schedule = replay(*told, *[("deliver", turn)] * 4, can_fetch=False)
        assert schedule.counts["tie"] == 3
        held.add(schedule.orders.objects["Order-1"].payload)
    assert len(held) == 1


def test_with_a_fetch_the_words_of_one_second_end_with_what_the_shop_has():
    told = [("change", 1, "quantity", second > 0, "late") for second in range(4)]
    schedule = replay(*told, *[("deliver", 3)] * 4)
    assert schedule.orders.objects["Order-1"].payload.lines == ("COLA330 4",)


def test_a_read_begun_before_a_deletion_does_not_bring_the_order_back():
    schedule = replay(
        ("change", 1, "quantity"), ("meanwhile", "pull: after read", "delete"), ("fetch", 1)
    )
    assert schedule.orders.objects == {}


def test_a_merge_nobody_heard_of_is_told_to_assess():
    replay(*PLACED, ("interrupt", "observe: after merge"), ("change", 1, "quantity"))


def test_a_link_in_doubt_is_swept_up():
    schedule = replay(
        *PLACED, ("overtake", "converge: before save stamp"), ("change", 1, "quantity")
    )
    assert schedule.counts["lease loss"] == 1


def test_an_update_that_lands_after_its_lease_was_lost_is_put_right():
    schedule = replay(
        *PLACED, ("overtake", "converge: before update", True), ("change", 1, "quantity")
    )
    assert schedule.counts["lease loss"] == 1


def test_a_worker_that_lost_its_lease_takes_nothing_off_the_link():
    schedule = replay(
        *PLACED,
        ("change", 1, "quantity"),
        ("work", 3),
        ("lose", 0),
        ("wait", 301),
        ("sweep_up",),
        ("overtake", "converge: before drop stamp"),
    )
    assert schedule.counts["lease loss"] == 1


def test_what_an_observer_overtook_is_judged_anew():
    replay(
        ("change", 1, "quantity"),
        ("meanwhile", "observe: before merge", "quantity"),
        ("change", 1, "quantity"),
    )


def test_a_create_that_began_long_after_its_intent_is_waited_for():
    schedule = replay(
        ("change", 1, "quantity"),
        ("change", 2, "quantity"),
        ("wait", 1),
        ("meanwhile", "converge: before intent", "nothing"),
        ("overtake", "converge: before create"),
        ("work", 40),
        can_fetch=False,
    )
    assert schedule.counts["lease loss"] == 2
