"""Streams: what can be watched, who may listen, and what a page that fell behind is told.

An app declares one ``Stream`` for each of its watched models in its ``streams.py``::

    @register(Post)
    class PostStream(Stream):
        lists = [ItemList("comments", into="#comments", template="posts/comment.html", order="desc")]
        parts = [Part("#comment-count", value="comment_count")]
        def allows(self, person): return self.thing.readable_by(person)

A stream is named by its object, never by a string glued together at the call.
"""

import logging
import re
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from typing import NamedTuple

from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, Signer
from django.db.models import Q
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import get_language

from live import fragments, metrics
from live.cache import html_cache
from live.models import Head
from live.viewers import people_behind

logger = logging.getLogger("live")
kinds = {}
signer = Signer(salt="live.streams")
shown_everywhere = []  # watched things, as the names of people, that stand in fragments of any stream: apps add them
KEPT = 10  # seconds that a delta is kept: what it shows beyond all that ticks with it is never older


def register(model):
    """Class decorator: the decorated ``Stream`` is how objects of class ``model`` are watched."""

    def remember(stream):
        stream.model = model
        stream.kind = kind_of(model)
        kinds[stream.kind] = stream
        return stream

    return remember


@cache
def kind_of(model):
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
    ``ShowsPeople``, ``ShowsTyping`` (``attendance.py``), too.
    """

    lists = ()
    parts = ()
    limit = 50
    public = False
    rank = 0

    def __init__(self, thing):
        self.thing = thing

    @classmethod
    def load(cls, key):
        """The watched object with ``key`` (str), or None if there is none. What is no model exists once."""
        if hasattr(cls.model, "_meta"):
            return cls.model._default_manager.filter(pk=key).first()
        only = cls.model()
        return only if key == str(only.pk) else None

    def allows(self, person):
        """Whether ``person`` (a user, or AnonymousUser) may listen: asked at subscribe and at every ring."""
        return self.public

    def allowed(self, people):
        """Those of ``people`` (set of users, perhaps AnonymousUser) who may listen: many are asked about at once."""
        return {person for person in people if self.allows(person)}

    def ended(self, viewer):
        """What ``viewer`` (``Viewer``), who may listen no longer, is told, and with which code their socket closes.

        → ``(text, code)``: fragments (str), and an int, or None to leave the socket open for other streams.
        """
        return "", None

    def changes(self, since):
        """What changed after tick ``since``, in the order to show it: pairs of what shows it and the item (list).

        At most one more than ``limit`` of each list.
        """
        return [(shown, item) for shown in self.lists for item in shown.changed(self.thing, since, self.limit + 1)]

    def totals(self):
        """Fragments that go with every delta: counts and the like."""
        return fragments.join(part.show(self.thing) for part in self.parts if not part.changed)


@dataclass(frozen=True)
class Cursor:
    """The last ``tick`` (int) of the stream ``name`` (str) that a page has seen."""

    name: str
    tick: int

    @property
    def signed(self):
        """The stream's name with our signature: proof that we wrote it, not that one may listen."""
        return signer.sign(self.name)

    @property
    def element_id(self):
        return "cursor-" + re.sub(r"\W", "-", self.name)

    @property
    def html(self):
        return render_to_string("live/cursor.html", {"cursor": self})


def name_of(thing):
    """The name (``kind:key``) of the stream of an object whose class is registered."""
    return f"{kind_of(thing.__class__)}:{thing.pk}"  # not type(): request.user is a lazy object


def rank_of(name):
    """The rank (int) of the stream ``name``."""
    stream = kinds.get(name.partition(":")[0])
    return stream.rank if stream else 0


def find(name):
    """The ``Stream`` called ``name`` with its object read afresh, or None if either does not exist."""
    kind, _, key = name.partition(":")
    if kind not in kinds:
        return None
    try:
        thing = kinds[kind].load(key)
    except (ValueError, OverflowError, ValidationError):
        return None
    return thing and kinds[kind](thing)


def unsign(signed):
    """The stream name in ``signed`` (str). Raises ``BadSignature`` if we did not write it."""
    name = signer.unsign(signed)
    if name.partition(":")[0] not in kinds:
        raise BadSignature(signed)
    return name


def heads(names):
    """The newest ticks of the streams ``names`` (iterable of str): dict of str to int, 0 for a new stream."""
    found = dict.fromkeys(names, 0)
    wanted = list(found)  # a copy, for we are in a thread
    for start in range(0, len(wanted), 200):  # SQLite limits the depth of an expression
        either = Q()
        for name in wanted[start : start + 200]:
            kind, _, key = name.partition(":")
            either |= Q(kind=kind, key=key)
        for head in Head.objects.filter(either):
            found[f"{head.kind}:{head.key}"] = head.head
    return found


def recent(seconds):
    """The streams that moved in the last ``seconds`` (by the database's clock): dict of name to newest tick."""
    moved = Head.objects.filter(moved__gte=Now() - timedelta(seconds=seconds))
    return {f"{head.kind}:{head.key}": head.head for head in moved}


def cursors(*things):
    """The cursors (list of ``Cursor``) of a page that shows ``things``.

    Take them *before* the page's own queries: an overlap is harmless, a gap is not.
    """
    return [Cursor(name, tick) for name, tick in heads(map(name_of, things)).items()]


def seen(values, thing):
    """The tick of ``thing``'s stream that a page says it has seen in ``values`` (a QueryDict), or None.

    Forms include the page's cursors, so that the answer brings what the page has not seen yet.
    """
    return _said(values, Cursor(name_of(thing), 0))


def resumed(values, cursors):
    """The same ``cursors`` (list of ``Cursor``), those that a page says in ``values`` at the ticks that it has seen."""
    said = [(cursor, _said(values, cursor)) for cursor in cursors]
    return [cursor if tick is None else Cursor(cursor.name, tick) for cursor, tick in said]


def _said(values, cursor):
    said = values.get(cursor.signed, "")
    return int(said) if said.isdecimal() and len(said) < 19 else None


def ticks_of(name):
    """The newest tick of the stream ``name``, and those of what is shown everywhere (tuple of int)."""
    return tuple(heads([name, *map(name_of, shown_everywhere)]).values())


def delta(stream, since, ticks=None):
    """What a page that has seen tick ``since`` (int) of ``stream`` must be told.

    Returns ``(text, head)``: the fragments (str, empty if nothing changed) and the tick (int) they lead to.
    The head is the first of ``ticks`` (``ticks_of``), which are read first: what is committed meanwhile is told twice
    rather than never. An item that cannot be rendered is logged and left out; the others go on.

    A step from one tick to another is rendered once for all who need it: the writer's answer, the open pages. A cursor
    is the page's to choose: all that are too old, or from the future, are one and the same step.
    """
    name = name_of(stream.thing)
    ticks = ticks or ticks_of(name)
    head = ticks[0]
    if since == head:
        return "", head
    key = name, get_language(), ticks
    if html_cache.get((*key, "too old"), -1) < since < head:
        try:
            return html_cache.get_or_set((*key, since), partial(_step, stream, since, head), KEPT), head
        except TooOld:
            html_cache.set((*key, "too old"), since, KEPT)
    return html_cache.get_or_set((*key, "debt"), partial(_debt, stream, head), KEPT), head


class TooOld(Exception):
    """More changed since a cursor than goes out one by one: so it did since all older ones."""


def _step(stream, since, head):
    changes = stream.changes(since)
    if len(changes) > stream.limit:
        raise TooOld
    parts = [part for part in stream.parts if part.changed and getattr(stream.thing, part.changed) > since]
    told = [_safely(part.show, stream.thing) for part in parts]
    told += [_safely(shown.show, item, since) for shown, item in changes]
    return _closed([*told, _safely(stream.totals)], stream, head)


def _debt(stream, head):
    """The cursor moves to the head, and nothing is lost by that: the debt stays on the page until it is paid."""
    metrics.DEBTS.inc()
    return _closed([fragments.debt(), _safely(stream.totals)], stream, head)


def _closed(parts, stream, head):
    cursor = Cursor(name_of(stream.thing), head)
    return fragments.join([*parts, fragments.replace(cursor.html, f"#{cursor.element_id}")])


class Composed(NamedTuple):
    """A delta for many: its ``text`` and the tick ``head`` it leads to; the viewers ``refused``, who may not listen
    any more (dict to what ``Stream.ended`` says of them); and whether it is ``public``: for everybody."""

    text: str
    head: int
    refused: dict
    public: bool


def compose(name, language, since, viewers):
    """Make one delta for ``viewers`` (set of ``Viewer``) of the stream ``name``, in ``language``. → ``Composed``

    The head is read before anybody is asked for: a right that ends later has a later tick, and is asked for again.
    """
    with translation.override(language):
        ticks = ticks_of(name)
        stream = find(name)
        public, refused = ask(stream, viewers)
        if stream is None or (refused and refused.keys() == viewers):
            return Composed("", since, refused, public)
        with metrics.RENDER.time():
            text, head = delta(stream, since, ticks)
        return Composed(text, head, refused, public)


def ask(stream, viewers):
    """Ask who of ``viewers`` (set of ``Viewer``) may listen to ``stream`` (None if it is gone).

    → ``(public, refused)``, as in ``Composed``: whether everybody may; and who may not, with what they are told.
    """
    if stream is None:
        return False, dict.fromkeys(viewers, ("", None))
    if stream.allows(AnonymousUser()):
        return True, {}
    people = people_behind(viewers)
    allowed = stream.allowed(set(people.values()))
    return False, {viewer: stream.ended(viewer) for viewer, person in people.items() if person not in allowed}


def _safely(render, *arguments):
    try:
        return render(*arguments)
    except Exception:
        metrics.FRAGMENT_ERRORS.inc()
        logger.exception("%s%r cannot be rendered", render.__qualname__, arguments)
        return ""
