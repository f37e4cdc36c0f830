"""Switches: whether a function is given the messages of its queues.

On AWS that is an event source mapping, which the templates make and never switch: a deployment
leaves it as the sweeper set it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient

_IN_BETWEEN = frozenset({"Creating", "Enabling", "Disabling", "Updating", "Deleting"})


class SwitchUnavailableError(Exception):
    """It cannot be read or set now."""


@dataclass(frozen=True)
class Switch:
    """One queue's way to a function.

    Attributes:
        id: the mapping's.
        is_on: None while it is on its way from one to the other, and takes no order.
    """

    id: str
    is_on: bool | None


class Switches(Protocol):
    """The switches of functions."""

    def of(self, function: str) -> Iterable[Switch]:
        """The switches of a function; none where there is no such function."""
        ...

    def turn(self, switch: Switch, *, on: bool) -> None:
        """Turn one on or off."""
        ...


class MappingSwitches:
    """Event source mappings."""

    def __init__(self, client: LambdaClient) -> None:
        self._client: Any = client

    def of(self, function: str) -> Iterable[Switch]:
        """The mappings of a function."""
        try:
            found = self._client.list_event_source_mappings(FunctionName=function)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return []
            raise SwitchUnavailableError(error.response["Error"]["Code"]) from error
        except BotoCoreError as error:
            raise SwitchUnavailableError(type(error).__name__) from error
        return [
            Switch(one["UUID"], None if one["State"] in _IN_BETWEEN else one["State"] == "Enabled")
            for one in found["EventSourceMappings"]
        ]

    def turn(self, switch: Switch, *, on: bool) -> None:
        """Enable or disable a mapping."""
        try:
            self._client.update_event_source_mapping(UUID=switch.id, Enabled=on)
        except ClientError as error:
            raise SwitchUnavailableError(error.response["Error"]["Code"]) from error
        except BotoCoreError as error:
            raise SwitchUnavailableError(type(error).__name__) from error


class MemorySwitches:
    """Switches in this process, for tests: each function has one, and is on until told."""

    def __init__(self) -> None:
        self.are_on: dict[str, bool] = {}

    def of(self, function: str) -> Iterable[Switch]:
        """The one switch of a function."""
        return [Switch(function, self.are_on.get(function, True))]

    def turn(self, switch: Switch, *, on: bool) -> None:
        """Turn it."""
        self.are_on[switch.id] = on
