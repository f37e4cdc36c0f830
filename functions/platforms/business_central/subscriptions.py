"""Business Central's webhook subscriptions: of one resource each, and for three days.

They are kept by the environment, beside its companies. Making and renewing one asks the address to
give a token back, while the call waits.
"""

from __future__ import annotations

from collections.abc import Iterable

from fizzbridge.errors import ConfigurationError
from fizzbridge.http.client import VendorClient
from fizzbridge.runtime.subscriptions import Subscription, Subscriptions
from fizzbridge.settings import Connection
from platforms.business_central.notices import RESOURCES
from platforms.business_central.transport import company, rows

_PATH = "/subscriptions"
_AS_IT_IS = {"If-Match": "*"}


class BusinessCentralSubscriptions(Subscriptions):
    """Renewed at every look, which also gives them the newest secret as their client state."""

    topics = tuple(RESOURCES)

    def listed(self, vendor: VendorClient, connection: Connection) -> Iterable[Subscription]:
        """Those of the environment; of other companies by their full address."""
        return [
            Subscription(
                one["subscriptionId"], _topic(one["resource"], connection), one["notificationUrl"]
            )
            for one in rows(vendor, _PATH)
        ]

    def add(
        self, vendor: VendorClient, topic: str, address: str, secret: str, connection: Connection
    ) -> None:
        """Make one, if its address answers."""
        vendor.post(_PATH, json=_wanted(topic, address, secret, connection), writes=True)

    def renew(
        self, vendor: VendorClient, subscription: Subscription, secret: str, connection: Connection
    ) -> None:
        """Three days more from now."""
        wanted = _wanted(subscription.topic, subscription.address, secret, connection)
        path = f"{_PATH}('{subscription.id}')"
        vendor.request("PATCH", path, json=wanted, headers=_AS_IT_IS, writes=True)

    def remove(
        self, vendor: VendorClient, subscription: Subscription, connection: Connection
    ) -> None:
        """Delete it."""
        del connection
        path = f"{_PATH}('{subscription.id}')"
        vendor.request("DELETE", path, headers=_AS_IT_IS, writes=True)


def _wanted(topic: str, address: str, secret: str, connection: Connection) -> dict[str, str]:
    if not secret:
        msg = f"{connection.name}: set the secret 'active' first: notifications are proven by it"
        raise ConfigurationError(msg, platform=connection.platform)
    return {
        "notificationUrl": address,
        "resource": _resource(topic, connection),
        "clientState": secret,
    }


def _topic(resource: str, connection: Connection) -> str:
    """The resource's name; ids may be in letters of either case, and the first slash be missing."""
    own, full = _resource("", connection), f"/{resource.lstrip('/')}"
    return full[len(own) :] if full.lower().startswith(own.lower()) else full


def _resource(topic: str, connection: Connection) -> str:
    return f"/api/v2.0{company(connection)}/{topic}"
