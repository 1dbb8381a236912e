"""What a stream shows: lists of items, and parts of the page that tell of the watched thing itself.

A stream declares them; how something is inserted, replaced and removed is written here, once.
"""

from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from django.template.loader import render_to_string
from django.utils.translation import get_language

from live import fragments
from live.cache import html_cache

Function = Callable[[Any], Any]
Name = str | Function  # of an attribute, or a function that gives what it would


class ItemList:
    """A list of items (``live.models.Item``) on the pages of a stream.

    ``rows``: the items of the watched thing: the name of its related manager, or a function of it → QuerySet.
    ``into``: the list's element (``#`` and its id), or a function of the item → selector. In the latter case the page's
    elements that hold such items have the attribute ``data-live`` (``live/again.py``).
    ``template``: shows one item, in an element with an id and a ``data-key``. Its variable is called as the file is,
    and so is the element: ``comment.html`` shows ``comment`` as ``#comment-7``, unless ``element`` (a function of the
    item) says another id.
    ``order``: "asc" or "desc", by ``data-key``, or a function of the item.

    What becomes of an item that changed:

    ``removed``: the name of what is true of an item that is shown no longer, or a function of the item. It is removed.
    Its row stays, for only rows can tell open pages; one that comes back is born anew (set ``born`` to 0).
    ``body``: the template of that child (its id: the element's and "-body") which alone is replaced when an item
    changed: for items that may hold what somebody types, or loaded. Or a function of the item → fragments. Without it
    the whole element is morphed, and moves if its ``data-key`` is another one.
    ``place``: the template that takes the place of the body of one that is gone while somebody is writing in it.
    ``arrives``: the field with the tick at which an item came to its place: ``born``. Pages that have seen that tick
    only change it where it stands. None: every change may bring it.
    ``earlier``: the list's element on pages of earlier items. Nothing is added to it; what arrives anew leaves it.
    ``then``: a function of an item that arrived → further fragments.
    ``load``: a function of the rows (QuerySet) that are to be shown → the items (list).
    """

    def __init__(
        self,
        rows: Name,
        into: Name,
        template: str,
        *,
        element: Function | None = None,
        order: Name = "asc",
        removed: Name | None = None,
        body: Name | None = None,
        place: str | None = None,
        arrives: str | None = "born",
        earlier: str | None = None,
        then: Function | None = None,
        load: Callable[[Any], list[Any]] = list,
    ) -> None:
        self.rows = of(rows)
        self.places = [place for place in (into, earlier) if isinstance(place, str)]
        self.into = into if callable(into) else lambda item: into
        self.template, self.variable = template, PurePath(template).stem
        self.element = element or (lambda item: f"{self.variable}-{item.pk}")
        self.order = order if callable(order) else lambda item: order
        self.removed = of(removed) if removed else lambda item: False
        self.body, self.place = body, place
        self.arrives, self.earlier = arrives, earlier
        self.then = then or (lambda item: "")
        self.load = load

    def changed(self, thing: Any, since: int, most: int) -> list[Any]:
        """The items of ``thing`` that changed after the tick ``since``: the first ``most`` (list)."""
        return self.load(self.rows(thing).filter(changed__gt=since).order_by("pk")[:most])

    def show(self, item: Any, since: int) -> str:
        """The fragments that bring ``item`` up to date on a page that has seen the tick ``since``."""
        if self.removed(item):
            return self.remove(item)
        if self.arrives and getattr(item, self.arrives) <= since:
            return self.change(item)
        if not self.body:
            return self.bring(item) + self.then(item)
        # A page that has it, has it as it was born.
        return self.insert(item) + ("" if item.is_as_born else self.change(item)) + self.then(item)

    def bring(self, item: Any) -> str:
        """Put ``item`` at its place, wherever it stood."""
        html, elsewhere = self.render(item), ""
        if self.earlier:
            there = f"{self.earlier} #{self.element(item)}"
            elsewhere = fragments.remove(there) if self.arrives else fragments.morph(html, there)
        return elsewhere + fragments.upsert(html, self.into(item), newest_first=self.order(item) == "desc")

    def insert(self, item: Any, into: str | None = None, **context: Any) -> str:
        """Put ``item`` at its place (or ``into`` another, a selector), if it is missing there."""
        html, into = self.render(item, **context), into or self.into(item)
        return fragments.insert(html, self.element(item), into, newest_first=self.order(item) == "desc")

    def change(self, item: Any) -> str:
        """Change ``item`` where it stands."""
        if callable(self.body):
            return self.body(item)
        if self.body:
            return fragments.morph(cached_or_rendered(self.body, self.variable, item), f"#{self.element(item)}-body")
        return fragments.morph(self.render(item), f"#{self.element(item)}")

    def remove(self, item: Any) -> str:
        """Take ``item`` off; but not from somebody who writes in it, if there is something to take its place."""
        if not self.place:
            return fragments.remove(f"#{self.element(item)}")
        return fragments.withdraw(render_to_string(self.place, {self.variable: item}), self.element(item))

    def render(self, item: Any, **context: Any) -> str:
        return render_to_string(self.template, {self.variable: item, **context})


class Part:
    """An element of the pages of a stream that tells of the watched thing.

    ``target``: the element (a selector). ``template``: shows it; its variable is called as the file is. Without one it
    is a text.
    ``value``: a function of the thing → what is shown; or the name of its attribute. Without it, the thing.
    ``changed``: the field of the thing with the tick at which the part last changed. Without it the part goes with
    every delta: give totals, never increments.
    ``swap``: "morph"; or "replace", for what must be a new element.
    """

    def __init__(
        self,
        target: str,
        template: str | None = None,
        *,
        value: Name | None = None,
        changed: str | None = None,
        swap: str = "morph",
    ) -> None:
        self.target, self.template, self.changed = target, template, changed
        self.value = of(value) if value else lambda thing: thing
        self.swap = {"morph": fragments.morph, "replace": fragments.replace}[swap]

    def show(self, thing: Any) -> str:
        if not self.template:
            return fragments.text(self.value(thing), self.target)
        variable = PurePath(self.template).stem
        return self.swap(render_to_string(self.template, {variable: self.value(thing)}), self.target)


def of(name: Name) -> Function:
    """``name`` as a function of an object: its attribute of that name (a manager: all of it), unless it is one."""

    def read(thing: Any) -> Any:
        value = getattr(thing, str(name))
        return value.all() if hasattr(value, "all") else value

    return name if callable(name) else read


def cached_partial(partial: str, item: Any) -> str:
    """The ``partial`` (a template's name) of ``item``, which is remembered as long as the item looks the same.

    ``item.cache_key`` (a tuple) holds all that the partial shows. Its variable is called as the class is.
    """
    return _drawn(partial, item.__class__.__name__.lower(), item)


def cached_or_rendered(template: str, variable: str, item: Any) -> str:
    if hasattr(item, "cache_key"):
        return _drawn(template, variable, item)
    return render_to_string(template, {variable: item})


def _drawn(template: str, variable: str, item: Any) -> str:
    look = template, get_language(), item.cache_key
    return html_cache.get_or_set(look, lambda: render_to_string(template, {variable: item}))
