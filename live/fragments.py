"""Fragments: HTML with the place it belongs to, in forms that may be applied twice.

Each function takes rendered HTML and a CSS selector and returns one htmx 4 element; a
delta is a string of them. A page that lacks the target skips the fragment silently.
``beforeend`` and ``+1`` are absent on purpose: they are not idempotent.

No fragment takes away what somebody is typing: an element that may hold a form is inserted where it is missing, and is
never replaced; its body is morphed; and it is removed where nobody has a form open in it.
"""

import random
from collections.abc import Iterable

from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe


def upsert(html: str, target: str, *, newest_first: bool = False) -> SafeString:
    """Put ``html`` (one root with an id and ``data-key``) among the children of ``target``.

    The ``data-key`` (compared as numbers) decides the place. An element with the same id is morphed, and moved
    if its key is another one now: it keeps the focus, and what is open in it.
    """
    return format_html(
        '<hx-upsert hx-target="{}" key="data-key" sort="{}">{}</hx-upsert>',
        target,
        "desc" if newest_first else "asc",
        mark_safe(html.strip()),
    )


def insert(html: str, item: str, target: str, *, newest_first: bool = False) -> SafeString:
    """Put ``html``, the element of the id ``item`` (str), among the children of ``target``, unless it is there.

    What somebody types in it, and what was loaded into it, stays: to change what is there, morph a part of it.
    """
    return upsert(html, f"{target}:not(:has(> #{item}))", newest_first=newest_first)


def morph(html: str, target: str) -> SafeString:
    """Turn ``target`` into ``html`` (one root), keeping focus and preserved elements."""
    return partial(html, target, "outerMorph")


def replace(html: str, target: str) -> SafeString:
    """Put ``html`` (one root) in the place of ``target``."""
    return partial(html, target, "outerHTML")


def remove(target: str) -> SafeString:
    """Take ``target`` off the page."""
    return partial("", target, "delete")


TYPED = ":has([name=body], [name=reason])"  # elements in which somebody has opened a form to write in


def remove_unless_typed(target: str) -> SafeString:
    """Take ``target`` (``#`` and an id) off the page, but not from somebody who is writing in it."""
    return remove(f"{target}:not({TYPED})")


def withdraw(html: str, item: str) -> SafeString:
    """Take the element of the id ``item`` off the page. Where somebody is writing in it, it stays, and its body
    (the child of the id ``item`` + "-body") turns into ``html``, which says so.
    """
    return remove_unless_typed(f"#{item}") + morph(html, f"#{item}{TYPED} > #{item}-body")


def debt() -> SafeString:
    """Let the page ask for itself again, until it has the answer: it missed too much. ``live/again.py`` says how.

    Those who missed the same are told the same, so that they all ask at one moment; others ask at another.
    """
    html = render_to_string("live/again.html", {"delay": random.randint(200, 2000)})
    return replace(html, "#again:not([hx-get])")


def text(value: object, target: str) -> SafeString:
    """Set the text of ``target``: a total, never an increment."""
    return format_html('<hx-partial hx-target="{}" hx-swap="textContent">{}</hx-partial>', target, value)


def partial(html: str, target: str, swap: str) -> SafeString:
    return format_html(
        '<hx-partial hx-target="{}" hx-swap="{}">{}</hx-partial>',
        target,
        swap,
        mark_safe(html.strip()),
    )


def join(fragments: Iterable[str]) -> SafeString:
    """One safe string of all ``fragments`` (iterable of str), in their order."""
    return SafeString("".join(fragments))
