"""A target that is only told things: no find can tell what a create came to."""

from __future__ import annotations

import pytest

from fizzbridge.errors import OutcomeUnknownError
from fizzbridge.model.entity import Kind, Part
from fizzbridge.observation import Seen
from fizzbridge.runtime.target import TargetEntity
from tests.kit.house import House, Wanted, order_ref, order_request


class Listener(TargetEntity):
    """Hears everything, and answers when it likes."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.is_silent = False

    def desired(self, view, situation):
        return Wanted(name=view.request.number)

    def find(self, vendor, reference, payload):
        return None

    def unanswered(self, reference):
        return reference

    def create(self, vendor, reference, payload):
        self._hear(f"made {payload.name}")
        return reference

    def update(self, vendor, external_id, payload):
        self._hear(f"holds {payload.name}")

    def cancel(self, vendor, external_id):
        self._hear(f"cancelled {external_id}")

    def _hear(self, what):
        self.heard.append(what)
        if self.is_silent:
            raise OutcomeUnknownError("no answer")


@pytest.fixture
def house():
    house = House()
    house.listener = Listener()
    house.serve({Kind.ORDER: house.listener})
    house.place()
    while house.messages[0][0] == "assess":
        house.handle(*house.messages.popleft())
    return house


def lose(house):
    house.listener.is_silent = True
    assert isinstance(house.converge.run(order_ref(), "lost").error, OutcomeUnknownError)
    house.listener.is_silent = False


def test_what_nobody_answered_is_said_again_once_it_is_certain(house):
    lose(house)
    assert isinstance(house.converge.run(order_ref(), "soon").error, OutcomeUnknownError)
    assert house.listener.heard == ["made #1"]
    house.settle()
    assert house.listener.heard == ["made #1", "holds #1"]
    link = house.link(order_ref())
    assert (link["status"], link["external_id"]) == ("synced", "shop/1")
    assert "intent" not in link


def test_what_may_have_been_heard_is_taken_back(house):
    lose(house)
    request = order_request(second=9, cancelled_at=house.clock())
    house.observe(Seen(order_ref(), request, request.changed_at, Part.REQUEST))
    house.settle()
    assert house.listener.heard == ["made #1", "cancelled shop/1"]


def test_what_was_never_said_is_not_taken_back(house):
    request = order_request(second=9, cancelled_at=house.clock())
    house.observe(Seen(order_ref(), request, request.changed_at, Part.REQUEST))
    house.settle()
    assert house.listener.heard == []
