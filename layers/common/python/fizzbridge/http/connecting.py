"""Connecting to vendors: what a name resolves to is checked, and nothing else is connected to.

A check before the call would not do: a name may show one address to the check and another to the
call. Here both are one.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable
from typing import Any

import httpcore
import httpx

from fizzbridge.errors import ConfigurationError
from fizzbridge.http.addresses import LOOPBACK, is_public


class PublicOnly(httpcore.SyncBackend):
    """Connects to addresses of the internet, whatever a name resolves to.

    Args:
        to_loopback: whether this machine may be reached as well, by its usual names.
        resolve: what a name stands for, as ``socket.getaddrinfo`` says it.
    """

    def __init__(
        self, *, to_loopback: bool = False, resolve: Callable[..., Any] = socket.getaddrinfo
    ) -> None:
        self._to_loopback = to_loopback
        self._resolve = resolve

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of a host that answers.

        Raises:
            ConfigurationError: one of its addresses is inside a network; nothing was sent.
            httpcore.ConnectError: it has none, or none answers.
        """
        trouble: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in self._resolved(host, port):
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                trouble = error
        raise trouble

    def _resolved(self, host: str, port: int) -> list[str]:
        try:
            found = self._resolve(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} does not resolve") from error
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        if self._to_loopback and host in LOOPBACK:
            return addresses
        # One that is inside is enough: who answers so may answer otherwise the next time.
        if not all(is_public(ipaddress.ip_address(one)) for one in addresses):
            raise ConfigurationError(f"{host}: resolves to an address inside a network")
        return addresses


class GuardedTransport(httpx.HTTPTransport):
    """A pool of connections that are made by ``PublicOnly``.

    They are dropped long before a NAT gateway would forget them (350 s), so that a frozen function
    does not wake up to write into a dead one.
    """

    def __init__(self, *, to_loopback: bool) -> None:
        context = httpx.create_ssl_context()
        super().__init__(verify=context)
        # httpx has no way of its own to say how names are resolved.
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=100,
            max_keepalive_connections=10,
            keepalive_expiry=20,
            network_backend=PublicOnly(to_loopback=to_loopback),
        )
