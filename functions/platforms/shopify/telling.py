"""What the target asks and tells: questions, and mutations, many of them in one call.

Fields of one mutation are carried out one after the other, each for itself; what one refuses says
nothing of the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from fizzbridge.errors import TargetRejectedError
from fizzbridge.http.client import ClientAround, VendorClient
from fizzbridge.settings import Connection
from platforms.shopify.asking import API_VERSION, ask

T = TypeVar("T")

AT_ONCE = 40
"""Mutations in one call: each costs 10 points, and a call may have 1,000."""
MOST = 250
"""Values in one list."""


@dataclass(frozen=True)
class Write:
    """One mutation.

    Attributes:
        name: of its field: ``productUpdate``.
        arguments: each with its type and its value.
        answer: what is wanted of the answer beside the refusals.
        errors: where the refusals are, and what of each is wanted.
        key: of the attempt, where the vendor asks for one.
    """

    name: str
    arguments: Mapping[str, tuple[str, Any]]
    answer: str = ""
    errors: str = "userErrors { field message code }"
    key: str = ""


@dataclass(frozen=True)
class Refusal:
    """What is wrong with a mutation.

    Attributes:
        message: the vendor's.
        code: the vendor's, where it has one.
        field: names and positions down to what it is about.
    """

    message: str
    code: str = ""
    field: Sequence[str] = ()

    @property
    def position(self) -> int | None:
        """Of a list: which of its values is meant."""
        return next((int(step) for step in self.field if step.isdigit()), None)


@dataclass(frozen=True)
class Told:
    """What came of a mutation."""

    answer: Mapping[str, Any] = field(default_factory=dict)
    refusals: Sequence[Refusal] = ()

    def checked(self, what: str) -> Mapping[str, Any]:
        """The answer.

        Raises:
            TargetRejectedError: it was refused.
        """
        if self.refusals:
            first = self.refusals[0]
            raise TargetRejectedError(f"{what}: {first.message}", platform="shopify")
        return self.answer


class ShopClient(ClientAround):
    """A client that speaks GraphQL to one connection's shop."""

    def __init__(self, inner: VendorClient, connection: Connection) -> None:
        super().__init__(inner)
        self.connection = connection

    def ask(self, query: str, **variables: Any) -> Any:
        """The data of an answer."""
        return ask(self, self.connection, query, **variables)

    def tell(self, *writes: Write) -> list[Told]:
        """Make mutations in as few calls as they go in; what came of each, in their order."""
        return [told for some in parts(writes, AT_ONCE) for told in self._tell(some)]

    def _tell(self, writes: Sequence[Write]) -> Iterator[Told]:
        version = self.connection.settings.get("api_version", API_VERSION)
        query, variables = _document(writes)
        answer = self.request(
            "POST",
            f"/admin/api/{version}/graphql.json",
            json={"query": query, "variables": variables},
            writes=True,
            shown={
                f"{n}.{write.name}": {name: value for name, (_, value) in write.arguments.items()}
                for n, write in enumerate(writes)
            },
        )
        for n, write in enumerate(writes):
            found = dict(answer.data["data"][f"w{n}"])
            errors = found.pop(write.errors.partition(" ")[0])
            yield Told(found, [self._refusal(one) for one in errors])

    def _refusal(self, error: Mapping[str, Any]) -> Refusal:
        return Refusal(
            self.clean(error["message"]), error.get("code") or "", error.get("field") or ()
        )


def shop(vendor: VendorClient) -> ShopClient:
    """The target's client for what it is: entities are handed what ``client`` made."""
    assert isinstance(vendor, ShopClient)  # noqa: S101  the adapter made it
    return vendor


def parts(values: Sequence[T], size: int) -> Iterator[list[T]]:
    """A list in parts of at most so many."""
    rest = iter(values)
    while part := list(islice(rest, size)):
        yield part


def gid(kind: str, number: str) -> str:
    """Shopify's whole name of a thing, by the number its webhooks give."""
    return f"gid://shopify/{kind}/{number}"


def number(name: str) -> str:
    """The number in a whole name."""
    return name.rpartition("/")[2]


def unshown(order: str) -> TargetRejectedError:
    """Of an order that is not found, which is nothing to go by.

    It may be erased; without the right to all orders one of 60 days ago looks the same.
    """
    return TargetRejectedError(f"the shop shows no order {order}", platform="shopify")


def _document(writes: Sequence[Write]) -> tuple[str, dict[str, Any]]:
    types: list[str] = []
    fields: list[str] = []
    variables: dict[str, Any] = {}
    for n, write in enumerate(writes):
        for name, (kind, value) in write.arguments.items():
            types.append(f"${name}{n}: {kind}")
            variables[f"{name}{n}"] = value
        given = ", ".join(f"{name}: ${name}{n}" for name in write.arguments)
        mark = ""
        if write.key:
            types.append(f"$key{n}: String!")
            variables[f"key{n}"] = write.key
            mark = f" @idempotent(key: $key{n})"
        fields.append(f"  w{n}: {write.name}({given}){mark} {{ {write.answer} {write.errors} }}")
    return f"mutation({', '.join(types)}) {{\n" + "\n".join(fields) + "\n}", variables
