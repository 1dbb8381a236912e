from typing import NamedTuple

from live.address import address


class Visit(NamedTuple):
    """From where something is said: what limits and checkers want to know of a request, each a str.

    ``site`` is the address of our front page, as the visitor called it.
    """

    address: str
    agent: str = ""
    referrer: str = ""
    site: str = ""


def visit(request):
    """The ``Visit`` that ``request`` is a part of."""
    headers = request.headers
    return Visit(
        address(request.META.get("REMOTE_ADDR", ""), lambda name: headers.get(name, "")),
        headers.get("User-Agent", ""),
        headers.get("Referer", ""),
        request.build_absolute_uri("/"),
    )
