"""Where calls to vendors may go: never inside a network, and https only off this machine.

Here the text of an address is checked: where the bridge file is read, and again where a client is
made. That finds what is plainly wrong in time for a person to put it right. What a name resolves to
is checked at the moment of connecting; see ``connecting.py``.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
"""This machine, in the spellings the local stage may use."""

_INSIDE = (".localhost", ".local", ".internal", ".intranet", ".lan", ".home.arpa")
_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))+", re.ASCII)
# What resolvers read as an IPv4 address ends so: 2130706433, 0x7f.1, 0177.0.0.1, 127.1.
_NUMERIC = re.compile(r"(0x[0-9a-f]*|[0-9]+)", re.ASCII)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def problem(address: str, *, local: bool) -> str | None:
    """What is wrong with the text of a base URL, or of another address in a connection's settings.

    Args:
        address: as a person wrote it.
        local: whether it is the local stage's, which may use http on this machine.

    Returns:
        A sentence for people; None where nothing is wrong.
    """
    try:
        parts = urlsplit(address)
        host, _ = (parts.hostname or "").removesuffix("."), parts.port
    except ValueError:
        return f"'{address}' is not an https address"
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        return "must hold no user, password, query or fragment"
    if parts.scheme not in {"http", "https"} or not host:
        return f"'{address}' is not an https address"
    if "\\" in address or any(letter.isspace() or not letter.isprintable() for letter in address):
        return "must hold no blank, backslash or control character"
    if host in LOOPBACK and local:
        return None
    if parts.scheme == "http":
        only = "the local stage" if host in LOOPBACK else "this machine"
        return f"plain http is for {only} only; use https"
    return _host_problem(host)


def _host_problem(host: str) -> str | None:
    if ":" in host or _NUMERIC.fullmatch(host.rpartition(".")[2]):
        try:
            reached = ipaddress.ip_address(host)
        except ValueError:
            return f"'{host}' is neither a name nor an IP address in its usual form"
        return None if is_public(reached) else f"'{host}' is inside a network"
    if not _NAME.fullmatch(host):
        return f"'{host}' is not a full name in letters, digits, hyphens and dots"
    return f"'{host}' is a name inside a network" if host.endswith(_INSIDE) else None


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address is one of the internet: not private, loopback, link-local or reserved.

    An IPv6 address that stands for an IPv4 one is as public as that.
    """
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return is_public(address.ipv4_mapped)
        if address in _NAT64:
            return is_public(ipaddress.IPv4Address(address.packed[-4:]))
        if address.sixtofour or address.teredo or address.is_site_local:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def own_addresses(base_url: str, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every address a connection names, by where it stands: of all of them calls may be made."""
    yield "base_url", base_url
    for name, value in settings.items():
        if name.endswith("_url") or (isinstance(value, str) and "://" in value):
            yield f"settings.{name}", str(value)
