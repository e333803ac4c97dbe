"""Defines what the sandbox may reach over the network: everything, a list of hosts, or nothing."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from autonomous_loop.errors import ConfigurationError

WEB_PORTS = frozenset({80, 443})
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Network(StrEnum):
    """The kinds of network access."""

    OPEN = "open"
    ALLOWED = "allowed"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class AllowedHost:
    """One entry of `allowed-hosts`.

    Attributes:
        name: host name in lower case.
        below: allow every name below it (`*.name`), but not the name itself.
        ports: TCP ports.
    """

    name: str
    below: bool = False
    ports: frozenset[int] = WEB_PORTS

    @classmethod
    def read(cls, text: str) -> Self:
        """Parse `example.com`, `*.example.com` or `example.com:8443`.

        Raises:
            ConfigurationError: the text has none of these forms.
        """
        given, colon, port = text.strip().lower().partition(":")
        below = given.startswith("*.")
        name = given.removeprefix("*.").removesuffix(".")
        numbered = not colon or (port.isascii() and port.isdecimal() and 0 < int(port) < 65536)
        if not is_name(name) or (below and "." not in name) or not numbered:
            raise ConfigurationError(
                f"allowed-hosts: {text.strip()!r} is not a host",
                hint="write a name such as npm.example.org, *.example.com for all names below it, or "
                "example.com:8443 for another port than 80 and 443; no addresses, schemes or paths.",
            )
        return cls(name, below, frozenset({int(port)}) if colon else WEB_PORTS)

    def takes(self, name: str, port: int) -> bool:
        """Return whether this entry allows the host and port."""
        named = name.endswith(f".{self.name}") if self.below else name == self.name
        return named and port in self.ports


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """The network access of the sandbox.

    Attributes:
        hosts: the allowed hosts if `network` is ALLOWED.
    """

    network: Network = Network.OPEN
    hosts: tuple[AllowedHost, ...] = ()

    @classmethod
    def read(cls, network: str, hosts: Sequence[str]) -> Self:
        """Parse the inputs `network` and `allowed-hosts`; both may be empty.

        Raises:
            ConfigurationError: an unknown value, a list without `allowed`, or `allowed` without a list.
        """
        try:
            chosen = Network(network or Network.OPEN)
        except ValueError:
            raise ConfigurationError(
                f"network is {network!r}", hint="set it to open, allowed or none."
            ) from None
        listed = tuple(AllowedHost.read(host) for host in hosts if host.strip())
        if listed and chosen is not Network.ALLOWED:
            raise ConfigurationError(
                f"allowed-hosts is given, but network is {chosen}: the list would not be used",
                hint="set network to allowed, or leave allowed-hosts out.",
            )
        if chosen is Network.ALLOWED and not listed:
            raise ConfigurationError(
                "network is allowed, but allowed-hosts names no host",
                hint="list the hosts, such as example.org and files.example.org; or set network to none.",
            )
        return cls(chosen, listed)

    def allows(self, name: str, port: int) -> bool:
        """Return whether the list allows this name (in lower case) and port."""
        return any(host.takes(name, port) for host in self.hosts)

    def __str__(self) -> str:
        """Return a description for the log."""
        match self.network:
            case Network.OPEN:
                return "open: what the model runs reaches everything this machine reaches"
            case Network.NONE:
                return "none: what the model runs reaches this machine's loopback alone"
        shown = ", ".join(("*." if host.below else "") + host.name for host in self.hosts[:10])
        more = f" and {len(self.hosts) - 10} more" if len(self.hosts) > 10 else ""
        return f"allowed: what the model runs reaches {shown}{more}, by a proxy, and this machine's loopback"


def is_name(text: str) -> bool:
    """Return whether the text is a host name in lower case, not an address (its last label is no number)."""
    last = text.rpartition(".")[2]
    numeric = last.isdecimal() or re.fullmatch(r"0x[0-9a-f]*", last)
    return len(text) <= 253 and bool(_NAME.fullmatch(text)) and not numeric


def is_public(text: str) -> bool:
    """Return whether an address is on the public internet.

    Private and local addresses and a cloud's metadata are not, nor are IPv6 addresses that wrap one of them.
    """
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(str(inner))
    return address.is_global and not address.is_multicast and not address.is_reserved
