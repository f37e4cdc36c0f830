"""The platform's register of webhooks is made as wished."""

from __future__ import annotations

import pytest

from fizzbridge.errors import NotThereError
from fizzbridge.runtime.subscriptions import Register, Subscription, Subscriptions, Wish
from fizzbridge.state.memory import MemoryTable
from tests.kit.clock import Clock
from tests.kit.source import CONNECTION, bridge

HERE = "https://hooks.example/webhooks/shop"


class Listing(Subscriptions):
    """A register that is a list; what it lists may be gone when it is asked to remove it."""

    topics = ("orders", "refunds")

    def __init__(self, *listed: Subscription) -> None:
        self.rows = list(listed)
        self.gone: set[str] = set()
        self.renewed: list[tuple[str, str]] = []

    def listed(self, vendor, connection):
        del vendor, connection
        return list(self.rows)

    def add(self, vendor, topic, address, secret, connection):
        del vendor, secret, connection
        self.rows.append(Subscription(f"new {topic}", topic, address))

    def renew(self, vendor, subscription, secret, connection):
        del vendor, connection
        if subscription.id in self.gone:
            raise NotThereError("run out")
        self.renewed.append((subscription.id, secret))

    def remove(self, vendor, subscription, connection):
        del vendor, connection
        if subscription.id in self.gone:
            raise NotThereError("gone already")
        self.rows.remove(subscription)


@pytest.fixture
def register():
    clock = Clock()
    made = Register(MemoryTable(clock), bridge("toy").connection(CONNECTION), clock)
    made.want(Wish(HERE, is_wanted=True))
    return made


def fulfil(register, listing):
    return register.fulfil(listing, None, "secret")


def test_what_is_missing_is_made_and_what_is_there_is_left(register):
    there = Subscription("1", "orders", HERE)
    listing = Listing(there)
    assert fulfil(register, listing) == ["refunds"]
    assert listing.rows == [there, Subscription("new refunds", "refunds", HERE)]
    assert fulfil(register, listing) == []


def test_some_topics_are_for_connections_with_a_setting_and_go_with_it(register):
    listing = Listing()
    listing.optional = {"b2b": ("companies",)}
    assert fulfil(register, listing) == ["orders", "refunds"]
    config = bridge("toy").connection(CONNECTION).model_copy(update={"settings": {"b2b": True}})
    on = Register(register._table, config, register._now)
    assert fulfil(on, listing) == ["companies"]
    assert fulfil(register, listing) == []
    assert [one.topic for one in listing.rows] == ["orders", "refunds"]


def test_what_was_switched_off_or_is_there_twice_goes(register):
    off = Subscription("1", "orders", HERE, is_active=False)
    twice = [Subscription(number, "refunds", HERE) for number in "23"]
    listing = Listing(off, *twice)
    assert fulfil(register, listing) == ["orders"]
    assert [one.id for one in listing.rows] == ["2", "new orders"]


def test_webhooks_of_others_are_left_alone(register):
    others = [
        Subscription("1", "orders", "https://other.example"),
        Subscription("2", "carts", HERE),
    ]
    listing = Listing(*others)
    fulfil(register, listing)
    assert listing.rows[:2] == others


def test_what_is_gone_when_it_is_removed_is_as_good(register):
    listing = Listing(Subscription("1", "orders", HERE, is_active=False))
    listing.gone = {"1"}
    assert fulfil(register, listing) == ["orders", "refunds"]


def test_what_is_kept_is_renewed_and_what_has_run_out_is_made_anew(register):
    there = [Subscription("1", "orders", HERE), Subscription("2", "refunds", HERE)]
    listing = Listing(*there)
    listing.gone = {"2"}
    assert fulfil(register, listing) == ["refunds"]
    assert listing.renewed == [("1", "secret")]
    assert listing.rows[-1].id == "new refunds"


def test_what_goes_is_not_renewed(register):
    listing = Listing(Subscription("1", "orders", HERE))
    register.want(Wish(HERE))
    assert fulfil(register, listing) == []
    assert (listing.renewed, listing.rows) == ([], [])
