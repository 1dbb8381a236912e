"""For views: a page that stays current, and the answer to a form on such a page."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from live.cursors import Cursor, cursors, seen
from live.deltas import delta, shown_everywhere
from live.streams import find, name_of

on_every_page: list[Callable[[HttpRequest], Iterable[Any]]] = []  # the things that every page shows; apps add them


def page(
    request: HttpRequest,
    template: str,
    context: Callable[[], dict[str, Any]] | None = None,
    *,
    shows: Sequence[Any] = (),
    depends: Sequence[Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render ``template`` as a page that shows the streams of the things ``shows``, and stays current. → HttpResponse

    ``context`` is called for the template's context (dict) when the cursors are taken: so no query is older than them.
    Without it that is the things themselves, read afresh, each called as its model. The cursors are its ``live``, for
    ``{% live live %}``.

    ``depends`` are the things on which the page depends if it is kept for all who are not signed in
    (``live.http.pages``); None: it is not kept. One of them may be a function → more things, called when the cursors
    of all others are taken.
    """
    everywhere = [thing for more in on_every_page for thing in more(request)]
    known = [] if depends is None else [*(thing for thing in depends if not callable(thing)), *shown_everywhere]
    taken = {cursor.name: cursor for cursor in cursors(*shows, *everywhere, *known)}
    watched = [taken[name] for name in dict.fromkeys(map(name_of, [*shows, *everywhere]))]
    needs = [taken[name] for name in dict.fromkeys(map(name_of, [*known, *everywhere]))]
    for more in (thing for thing in depends or () if callable(thing)):
        needs += cursors(*more())
    found = context() if context else {thing._meta.model_name: read_again(thing) for thing in shows}
    response = render(request, template, {"live": watched} | found, status=status)
    if depends is None:
        return response
    from live.http.pages import depend  # it is optional, and so is what it needs

    return depend(request, response, needs)


def cursors_for(request: HttpRequest, *things: Any) -> list[Cursor]:
    """The cursors of a page that shows ``things``, and what every page shows to whoever asks (list of ``Cursor``)."""
    return cursors(*things, *(thing for more in on_every_page for thing in more(request)))


def read_again(thing: Any) -> Any:
    return thing._meta.default_manager.get(pk=thing.pk)


def answer(
    request: HttpRequest, thing: Any, html: str = "", *, item: Any = None, otherwise: Any = None
) -> HttpResponse:
    """What a form on a page of ``thing`` is answered: ``html``, and what the page has not seen yet of the stream.

    The page says what it has seen: the form has ``hx-include="#live"``. If it says nothing it is told of the ``item``
    that was changed, if any. Without htmx it is sent to ``otherwise`` (as ``redirect`` takes it), or to the thing.
    """
    if request.headers.get("HX-Request") != "true":
        return redirect(otherwise or thing)
    since = seen(request.POST, thing)
    if since is None and item and item.changed:
        since = item.changed - 1
    stream = find(name_of(thing))
    text = "" if since is None or stream is None else delta(stream, since)[0]
    return HttpResponse(html + text)
