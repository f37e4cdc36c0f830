"""The smallest platform there can be: one topic, one kind, a scripted vendor."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

import httpx
from pydantic import AwareDatetime, BaseModel

from fizzbridge.http.auth import HeaderToken
from fizzbridge.http.classify import ErrorRules
from fizzbridge.model.customer import Customer
from fizzbridge.model.entity import Kind, ref
from fizzbridge.model.party import Contact
from fizzbridge.model.version import Timestamp
from fizzbridge.observation import Hint, Seen, Told
from fizzbridge.runtime.pull import Page, PullAdapter, Span
from fizzbridge.webhook.adapter import Route, WebhookAdapter
from fizzbridge.webhook.request import Delivery
from fizzbridge.webhook.signatures import HmacSha256


class Person(BaseModel):
    """A customer as the toy says it."""

    id: str
    name: str
    at: AwareDatetime


class People(BaseModel):
    """Several customers in one delivery."""

    people: list[Person]


class Named(BaseModel):
    """A customer the toy names only."""

    id: str


def customer(told: Person, connection: str) -> Iterator[Told]:
    if told.name == "bug":
        raise KeyError("a bug of ours that quotes canary-person")
    body = Customer(contact=Contact(name=told.name))
    entity = ref(Kind.CUSTOMER, connection, told.id)
    yield Seen(entity, body, told.at, refetch=Hint("person", told.id))


def customers(told: People, connection: str) -> Iterator[Told]:
    for person in told.people:
        yield from customer(person, connection)


def named(told: Named, connection: str) -> Iterator[Told]:
    del connection
    yield Hint("person", told.id)
    yield Hint("person", told.id)


class ToyWebhook(WebhookAdapter):
    platform = "toy"
    signature = HmacSha256(headers=("x-toy-proof",), encoding="hex")
    clock = Timestamp("second")
    routes: ClassVar[Mapping[str, Route[Any]]] = {
        "person": Route(Person, customer),
        "people": Route(People, customers),
        "named": Route(Named, named),
    }

    def topic(self, delivery: Delivery) -> str:
        return delivery.headers.get("x-toy-topic", "")

    def delivery_id(self, delivery: Delivery) -> str:
        return delivery.headers.get("x-toy-id", "")


class ToyPull(PullAdapter):
    """Answers what the script says; an exception in it is raised."""

    platform = "toy"
    clock = Timestamp("second")
    errors = ErrorRules()

    def __init__(self) -> None:
        self.script: deque[Any] = deque()
        self.asked: list[Any] = []

    def auth(self, secret: Any, connection: Any) -> httpx.Auth:
        del connection
        return HeaderToken("X-Toy", secret["access_token"])

    def fetch(self, vendor: Any, hint: Hint, connection: Any) -> Iterable[Told]:
        del vendor, connection
        self.asked.append(hint)
        return self._next()

    def changes(
        self, vendor: Any, stream: str, cursor: str | None, span: Span, connection: Any
    ) -> Page:
        del vendor, connection
        self.asked.append((stream, cursor, span.since))
        self.until = span.until
        return self._next()

    def _next(self) -> Any:
        answer = self.script.popleft()
        if callable(answer):
            answer = answer()
        if isinstance(answer, Exception):
            raise answer
        return answer
