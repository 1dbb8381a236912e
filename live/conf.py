"""The settings, all in one dict, each with a default: ``LIVE = {"ORIGINS": ["https://blog.example"]}``."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.conf import settings as django_settings


class Settings:
    """Each setting with its default; its value is read afresh, so that tests may change ``settings.LIVE``."""

    # The full origins (``https://blog.example``) whose pages may open sockets. Empty: the host that was asked for, if
    # it is one of ALLOWED_HOSTS. Set it where a proxy changes the header Host.
    ORIGINS: Sequence[str] = ()
    # Where sockets are opened.
    PATH: str = "/ws/"
    # The static file with htmx 4 and its extensions ws and upsert.
    SCRIPT: str = "live/htmx-ws.js"
    # The header in which our own proxy says the visitor's address (``X-Real-IP``). Empty: the peer's address counts.
    REAL_IP_HEADER: str = ""
    # Whether sockets, messages and questions are limited. Off only for measurements.
    LIMITED: bool = True
    # Seconds between two signs of life that every page gets.
    HEARTBEAT: float = 15
    # Seconds between two looks for what nobody rang for: the longest that a lost ring delays a page.
    LOOK_EVERY: float = 2
    # Seconds that somebody is still here after their last tab closed: a reload is silent.
    LEAVE_AFTER: float = 10
    # Bytes of a form with files; a form without may have Django's DATA_UPLOAD_MAX_MEMORY_SIZE.
    UPLOAD_MAX_SIZE: int = 10 * 1024 * 1024
    # Seconds in which the head of a request must be complete; other times of requests follow from it.
    REQUEST_TIMEOUT: float = 10
    # Seconds over which a uvicorn process that ends sends its pages away.
    SPREAD: float = 10

    if not TYPE_CHECKING:

        def __getattribute__(self, name: str) -> object:
            chosen = getattr(django_settings, "LIVE", {})
            return chosen[name] if name in chosen else super().__getattribute__(name)


NAMES = set(Settings.__annotations__)
settings = Settings()


def languages() -> list[str]:
    """The codes (list of str) of the languages in which pages are; Django's own default is not among LANGUAGES."""
    return list(dict.fromkeys([django_settings.LANGUAGE_CODE, *(code for code, _ in django_settings.LANGUAGES)]))
