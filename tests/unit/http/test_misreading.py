"""Whose fault it is when an adapter breaks: the vendor's only over an answer of the vendor's."""

from datetime import timedelta
from types import FunctionType

import httpx
import pytest

from fizzbridge.errors import NotThereError, OutcomeUnknownError, UnreadableAnswerError
from fizzbridge.http.auth import Bearer
from fizzbridge.http.classify import ErrorRules
from fizzbridge.http.client import ClientAround, VendorClient
from fizzbridge.runtime.calls import reading
from fizzbridge.wire import Wire

PERSON = "ann@example.com"


class Customer(Wire):
    name: str


def adapter(function):
    """The function as one of an adapter's module."""
    known = {"__name__": "platforms.acme.pull", "__builtins__": __builtins__, "Customer": Customer}
    return FunctionType(function.__code__, known, closure=function.__closure__)


def client(body, status=200):
    def answer(request):
        if request.url.path == "/gone":
            return httpx.Response(404, json={})
        return httpx.Response(status, json=body, headers={"X-Request-Id": "r-9"})

    return VendorClient(
        platform="acme",
        base_url="https://vendor.example",
        auth=Bearer("top-secret"),
        errors=ErrorRules(),
        timeout=timedelta(seconds=5),
        transport=httpx.MockTransport(answer),
    )


def raised(work, vendor):
    with pytest.raises(Exception) as error, reading(vendor):  # noqa: PT011  any
        work(vendor)
    return error.value


READS = [
    (lambda v: v.get("/a").data["items"], {PERSON: 1}, "(no items, platforms.acme.pull:"),
    (lambda v: v.get("/a").data["items"], [PERSON], "(TypeError, "),
    (lambda v: v.get("/a").data.items(), PERSON, "(AttributeError, "),
    (lambda v: v.get("/a").data[0], [], "(IndexError, "),
    (lambda v: int(v.get("/a").data), PERSON, "(ValueError, "),
    (lambda v: {}[v.get("/a").data], PERSON, "(KeyError, "),
    (lambda v: Customer(name=v.get("/a").data), {PERSON: 1}, "(Customer: name string_type, "),
]


@pytest.mark.parametrize(("work", "body", "said"), READS)
def test_what_a_read_was_answered_wrongly_is_named_without_a_value(work, body, said):
    error = raised(adapter(work), client(body))
    assert isinstance(error, UnreadableAnswerError)
    assert error.message.startswith(f"GET /a: the answer is not of the documented shape {said}")
    assert (error.code, error.blame, error.request_id) == ("unreadable", "vendor", "r-9")
    assert error.platform == "acme"
    assert PERSON not in error.message


def test_a_write_answered_wrongly_may_have_been_done():
    create = adapter(lambda v: v.post("/orders", json={}, writes=True).data["id"])
    error = raised(create, client({}))
    assert isinstance(error, OutcomeUnknownError)
    assert (error.code, error.blame) == ("unreadable", "vendor")
    assert "POST /orders" in error.message
    assert "no id" in error.message


def test_an_answer_is_in_hand_whoever_asked_for_it():
    vendor = client([])
    other = vendor.beside("https://files.vendor.example")
    read = adapter(lambda _: other.get("/a").data["items"])
    assert isinstance(raised(read, ClientAround(vendor)), UnreadableAnswerError)


def test_one_that_says_no_leaves_those_before_it_to_be_read():
    def refused():
        return pytest.raises(NotThereError)

    def read(vendor):
        data = vendor.get("/a").data
        with refused():
            vendor.get("/gone")
        return data["items"]

    assert isinstance(raised(adapter(read), client({})), UnreadableAnswerError)


def before_a_call(vendor):
    body = {"a": 1}["b"]
    return vendor.get(body)


def in_the_next_call(vendor):
    return vendor.post(vendor.get("/a").data, json={"price": 0.1}, writes=True)


def over_a_thing_of_ours(vendor):
    return vendor.get("/a").nothing


def by_a_name_nobody_knows(vendor):
    return vendor.get("/a") and unknown  # noqa: F821  that is the bug


OURS = [
    (before_a_call, KeyError),
    (in_the_next_call, TypeError),
    (over_a_thing_of_ours, AttributeError),
    (by_a_name_nobody_knows, NameError),
]


@pytest.mark.parametrize(("bug", "kind"), OURS)
def test_a_bug_of_ours_stays_ours(bug, kind):
    assert type(raised(adapter(bug), client("/orders"))) is kind


def test_a_bug_beside_the_adapter_stays_ours():
    def save(vendor):
        vendor.get("/a")
        return {}["external_id"]

    assert type(raised(save, client({}))) is KeyError
