"""Fragments: HTML with the place it belongs to, in forms that may be applied twice.

Each function takes rendered HTML and a CSS selector and returns one htmx 4 element; a
delta is a string of them. A page that lacks the target skips the fragment silently.
``beforeend`` and ``+1`` are absent on purpose: they are not idempotent.
"""

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe


def upsert(html, target, *, newest_first=False):
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


def morph(html, target):
    """Turn ``target`` into ``html`` (one root), keeping focus and preserved elements."""
    return partial(html, target, "outerMorph")


def replace(html, target):
    """Put ``html`` (one root) in the place of ``target``."""
    return partial(html, target, "outerHTML")


def remove(target):
    """Take ``target`` off the page."""
    return partial("", target, "delete")


def text(value, target):
    """Set the text of ``target``: a total, never an increment."""
    return format_html('<hx-partial hx-target="{}" hx-swap="textContent">{}</hx-partial>', target, value)


def partial(html, target, swap):
    return format_html(
        '<hx-partial hx-target="{}" hx-swap="{}">{}</hx-partial>',
        target,
        swap,
        mark_safe(html.strip()),
    )


def join(fragments):
    """One safe string of all ``fragments`` (iterable of str), in their order."""
    return SafeString("".join(fragments))
