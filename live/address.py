"""Where a request or a socket comes from."""

from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network

from live.conf import settings

IPV6_NETWORK = 64  # bits of an IPv6 address that are one subscriber's; the rest they choose as they like (RFC 6177)


def address(peer: str, header: Callable[[str], str]) -> str:
    """Whose line it is (str): the ``peer`` (str), or what our own proxy says in the header named by the settings.

    ``header`` (callable) gives the value (str) of the header that it is asked for by name. No other header is believed:
    whoever wants to be somebody else can send it.
    """
    return header(settings.REAL_IP_HEADER) if settings.REAL_IP_HEADER else peer


def rate_key(address: str) -> str:
    """What is counted as one of ``address`` (str): itself, or an IPv6 address's network; as is what is no address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    return str(parsed.ipv4_mapped or ip_network((parsed.packed, IPV6_NETWORK), strict=False))
