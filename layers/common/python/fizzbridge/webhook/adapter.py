"""What a platform's ``webhook.py`` declares."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel

from fizzbridge.model.entity import Kind
from fizzbridge.model.version import Clock
from fizzbridge.observation import Hint, Told
from fizzbridge.webhook.request import Delivery
from fizzbridge.webhook.signatures import Signature

W = TypeVar("W", bound=BaseModel)


@dataclass(frozen=True)
class Route(Generic[W]):
    """How one topic's body becomes canonical: the wire model, and the mapping from it.

    ``mapping`` is pure; its second argument is the connection's name, which keys are made of.
    """

    wire: type[W]
    mapping: Callable[[W, str], Iterable[Told]]


def names(
    wire: type[W],
    what: str,
    id_at: Callable[[W], str] = attrgetter("id"),
    of: Kind | None = None,
) -> Route[W]:
    """The route of a topic whose deliveries show nothing, and only name what is to be read.

    Args:
        wire: the wire model.
        what: the kind of hint ``pull.py`` understands.
        id_at: gets the id out of the model.
        of: the kind it is, where it is only read if somebody owns such things.
    """

    def hint(told: W, connection: str) -> Iterable[Told]:
        del connection
        return (Hint(what, id_at(told), of),)

    return Route(wire, hint)


@dataclass(frozen=True)
class Reply:
    """What a vendor gets that only asks whether somebody listens."""

    status: int = 200
    body: str = ""
    media: str = "text/plain"


class WebhookAdapter(ABC):
    """One platform's deliveries. Subclasses set the attributes; the runtime does the rest.

    Attributes:
        platform: the platform's slug.
        signature: proves who sent the delivery; it may be replaced, never skipped.
        clock: what the versions of this platform's parts are made of.
        routes: what is understood, by topic. Any other topic is acknowledged and counted.
    """

    platform: ClassVar[str]
    signature: ClassVar[Signature]
    clock: ClassVar[Clock]
    routes: ClassVar[Mapping[str, Route[Any]]]

    @abstractmethod
    def topic(self, delivery: Delivery) -> str:
        """The vendor's name of what happened.

        Raises:
            MalformedDeliveryError: only the body could say it, and cannot be read.
        """

    @abstractmethod
    def delivery_id(self, delivery: Delivery) -> str:
        """The vendor's id of this delivery or event, to follow it in logs."""

    def handshake(self, delivery: Delivery) -> Reply | None:  # noqa: ARG002  for overriders
        """Answer what proves nothing and tells nothing; None for every delivery.

        It is asked before the signature: nothing may come of it but the answer.
        """
        return None

    def proven(self, delivery: Delivery, secrets: Sequence[str]) -> Delivery:  # noqa: ARG002  for overriders
        """What of a verified delivery is proven, as it may be stored: without its proof."""
        return delivery.without(self.signature.headers)

    def content(self, delivery: Delivery) -> Any:
        """What the wire model reads: the body, and what the vendor says in headers only."""
        return delivery.json()
