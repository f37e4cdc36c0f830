"""From a genuine delivery to what it tells. Pure: an hour later it reads the same."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError

from fizzbridge.errors import MalformedDeliveryError
from fizzbridge.observation import Told
from fizzbridge.webhook.adapter import WebhookAdapter
from fizzbridge.webhook.request import Delivery
from fizzbridge.wire import places


def read(adapter: WebhookAdapter, delivery: Delivery, connection: str) -> Sequence[Told] | None:
    """What a delivery tells; None where its topic is none of ours.

    Raises:
        MalformedDeliveryError: the body does not fit the topic, or our mapping does not fit the
            body. Its message names fields and never their values.
    """
    topic = adapter.topic(delivery)
    route = adapter.routes.get(topic)
    if route is None:
        return None
    try:
        return list(route.mapping(route.wire.model_validate(adapter.content(delivery)), connection))
    except MalformedDeliveryError:
        raise
    except ValidationError as error:
        raise MalformedDeliveryError(
            f"{topic}: {places(error)}", code="shape", platform=adapter.platform
        ) from error
    except Exception as error:
        # Our own bug must cost neither the delivery nor our standing with the vendor.
        ours = MalformedDeliveryError(
            f"{topic}: {type(error).__name__}", code="mapping_bug", platform=adapter.platform
        )
        ours.blame = "ours"
        raise ours from error
