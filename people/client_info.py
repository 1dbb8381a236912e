from typing import NamedTuple

from live.address import address
from people.rates import TooFast


class ClientInfo(NamedTuple):
    """From where something is said: what limits and spam checks want to know of a request, each a str.

    ``site`` is the address of our front page, as the visitor called it.
    """

    address: str
    agent: str = ""
    referrer: str = ""
    site: str = ""


def client_info(request):
    """The ``ClientInfo`` that ``request`` is a part of."""
    headers = request.headers
    return ClientInfo(
        address(request.META.get("REMOTE_ADDR", ""), lambda name: headers.get(name, "")),
        headers.get("User-Agent", ""),
        headers.get("Referer", ""),
        request.build_absolute_uri("/"),
    )


def retry_after(response, refusal):
    """``response``, which says when to come again if the ``refusal`` (Refused, or None) was for being too fast."""
    if isinstance(refusal, TooFast):
        response["Retry-After"] = refusal.seconds
    return response
