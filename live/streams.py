"""Streams: what can be watched, and who may listen.

An app declares one ``Stream`` for each of its watched models in its ``streams.py``::

    @register(Post)
    class PostStream(Stream):
        lists = [ItemList("comments", into="#comments", template="posts/comment.html", order="desc")]
        parts = [Part("#comment-count", value="comment_count")]
        def allows(self, person): return self.thing.readable_by(person)

A stream is named by its object, never by a string glued together at the call.
"""

import logging
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, ClassVar, TypeVar

from django.apps import apps
from django.core.exceptions import ValidationError

from live import fragments
from live.lists import ItemList, Part
from live.viewers import Person, Viewer

logger = logging.getLogger("live")
S = TypeVar("S", bound="type[Stream]")
kinds: dict[str, type["Stream"]] = {}


def register(model: type) -> Callable[[S], S]:
    """Class decorator: the decorated ``Stream`` is how objects of class ``model`` are watched."""

    def remember(stream: S) -> S:
        stream.model = model
        stream.kind = kind_of(model)
        kinds[stream.kind] = stream
        return stream

    return remember


@cache
def kind_of(model: Any) -> str:
    """What streams of objects of the class ``model`` are called before their keys (str): ``app.model``."""
    if hasattr(model, "_meta"):
        return model._meta.concrete_model._meta.label_lower
    app = apps.get_containing_app_config(model.__module__)
    return f"{app.label if app else model.__module__.partition('.')[0]}.{model.__name__.lower()}"


class Stream:
    """How one kind of object is watched. Everything here runs in a thread, in the reader's language.

    ``lists`` (of ``ItemList``) and ``parts`` (of ``Part``) are what its pages show of ``thing``, the object.
    ``public``: whether everybody may listen; or else write ``allows``.
    ``limit``: at most so many changed items go out one by one; a page that missed more asks for itself again.
    ``rank``: a change locks streams of a lower rank first; so one may lock a post, and later, in the same transaction,
    the people who are told of it (``ticks.py``).

    Who is on its pages, and who is typing there, a stream shows as well if it is one of ``CountsReaders``,
    ``ShowsPeople``, ``ShowsTyping`` (``presence/``), too.
    """

    model: ClassVar[Any]  # the class of ``thing``; ``register`` sets these two
    kind: ClassVar[str]
    lists: Sequence[ItemList] = ()
    parts: Sequence[Part] = ()
    limit = 50
    public = False
    rank = 0

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    @classmethod
    def load(cls, key: str) -> Any:
        """The watched object with ``key`` (str), or None if there is none. What is no model exists once."""
        if hasattr(cls.model, "_meta"):
            return cls.model._default_manager.filter(pk=key).first()
        only = cls.model()
        return only if key == str(only.pk) else None

    def allows(self, person: Any) -> bool:
        """Whether ``person`` (a user, or AnonymousUser) may listen: asked at subscribe and at every ring."""
        return self.public

    def allowed(self, people: set[Person]) -> set[Person]:
        """Those of ``people`` (set of users, perhaps AnonymousUser) who may listen: many are asked about at once."""
        return {person for person in people if self.allows(person)}

    @classmethod
    def deleted(cls) -> str:
        """Fragments for the pages of an object that is not there any more."""
        return ""

    def ended(self, viewer: Viewer) -> tuple[str, int | None]:
        """What ``viewer`` (``Viewer``), who may listen no longer, is told, and with which code their socket closes.

        → ``(text, code)``: fragments (str), and an int, or None to leave the socket open for other streams.
        """
        return "", None

    @classmethod
    def places(cls) -> list[str]:
        """The elements (selectors) that hold all that its pages show of its lists, and of parts that seldom change."""
        places = [place for shown in cls.lists for place in shown.places]
        places += [part.target for part in cls.parts if part.changed]
        return [place for place in places if not set(place) & set(",:")]  # those htmx splits

    def changes(self, since: int) -> list[tuple[ItemList, Any]]:
        """What changed after tick ``since``, in the order to show it: pairs of what shows it and the item (list).

        At most one more than ``limit`` of each list.
        """
        return [(shown, item) for shown in self.lists for item in shown.changed(self.thing, since, self.limit + 1)]

    def totals(self) -> str:
        """Fragments that go with every delta: counts and the like."""
        return fragments.join(part.show(self.thing) for part in self.parts if not part.changed)


def name_of(thing: Any) -> str:
    """The name (``kind:key``) of the stream of an object whose class is registered."""
    return f"{kind_of(thing.__class__)}:{thing.pk}"  # not type(): request.user is a lazy object


def rank_of(name: str) -> int:
    """The rank (int) of the stream ``name``."""
    stream = kinds.get(name.partition(":")[0])
    return stream.rank if stream else 0


def find(name: str) -> Stream | None:
    """The ``Stream`` called ``name`` with its object read afresh, or None if either does not exist."""
    kind, _, key = name.partition(":")
    if kind not in kinds:
        return None
    try:
        thing = kinds[kind].load(key)
    except (ValueError, OverflowError, ValidationError):
        return None
    return thing and kinds[kind](thing)
