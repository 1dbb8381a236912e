"""What a page says over its socket, and the codes with which sockets are closed."""

import json
from typing import Any

from django.core.signing import BadSignature
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import SafeString

from live import fragments
from live.cursors import unsign

TRY_AGAIN = 4013  # 1013, try again later; live/head.html lists it among the codes to reconnect after
TOO_MANY = 4029  # as HTTP's 429
NOT_WELCOME = 4008  # 1008, policy violation (RFC 6455, 7.4.1), in the range that daphne too may send

MESSAGE = 16_384  # characters in one message from a page
STREAMS = 20  # streams that one page may show


class Close(Exception):
    """End this socket with ``code`` (int)."""

    def __init__(self, code: int) -> None:
        self.code = code


def sorry(language: str, code: int) -> SafeString:
    """What a page is told before its socket is closed on it with ``code`` (int)."""
    with translation.override(language):
        return fragments.morph(render_to_string("live/sorry.html", {"too_many": code == TOO_MANY}), "#notice")


def read(text: object) -> dict[str, Any]:
    """The message ``text`` (str) as a dict. Raises ``Close`` unless it is a JSON object of bearable size."""
    if not isinstance(text, str) or len(text) > MESSAGE:
        raise Close(NOT_WELCOME)
    try:
        said = json.loads(text)
        json.dumps(said, ensure_ascii=False).encode()  # or half of a character is in it, which nothing can be done with
    except (ValueError, RecursionError):
        raise Close(NOT_WELCOME) from None
    if not isinstance(said, dict):
        raise Close(NOT_WELCOME)
    return said


def stream_name(signed: Any) -> str:
    """The stream name that a page gave back. Raises ``Close`` if it is not one that we wrote."""
    try:
        return unsign(signed)
    except (BadSignature, AttributeError, TypeError):
        raise Close(NOT_WELCOME) from None


def counted(tick: object) -> int:
    """The cursor (int) that a page gave back as a string. Raises ``Close`` if it is no tick."""
    if not isinstance(tick, str) or not tick.isdecimal() or len(tick) > 18:
        raise Close(NOT_WELCOME)
    return int(tick)
