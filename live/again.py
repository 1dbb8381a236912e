"""A page that missed too much asks for itself again, over HTTP, and takes from the answer what its streams show.

The socket brings it a *debt* (``fragments.debt``): an element that asks for the page's own address, until an answer
comes. From that answer each element of a list (``ItemList.into``), of a part that seldom changes, and with
``data-live`` is morphed into the one of the same id, and the page's cursors are set to those that were taken before the
answer's queries: what the socket brought meanwhile comes once more.

The question says what the page holds, by hidden inputs of the class ``page-state``: ``upto``, the oldest thing of its
list; ``more``, how far something below another has been loaded ("7.12": of 7's, up to 12); ``open``, the things below
which a form is open. The answer must have a place for each of those.
"""

from typing import NamedTuple

from django.http import QueryDict

OPEN, MORE = 20, 50  # so many are heeded


class PageState(NamedTuple):
    """What a page holds: ``upto`` (int, 0 for the very first, or None), ``more`` (dict) and ``open`` (set), all ids."""

    upto: int | None = None
    more: dict = {}
    open: frozenset = frozenset()


def page_state(values: QueryDict) -> PageState:
    """What the page that asks says in ``values`` (QueryDict) that it holds. → ``PageState``"""
    upto = whole_number(values.get("upto", ""))
    pairs = [value.partition(".")[::2] for value in values.getlist("more")[:MORE]]
    more = {whole_number(key): whole_number(last) for key, last in pairs}
    more = {key: last for key, last in more.items() if key is not None and last is not None}
    places = {whole_number(value) for value in values.getlist("open")[:OPEN]} - {None}
    return PageState(upto, more, frozenset(places))


def whole_number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None
