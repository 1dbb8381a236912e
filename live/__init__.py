"""Server-rendered pages that stay current.

Three sentences hold the engine together:

1. **The database is the truth.** A row that a page shows live is an *item*. It carries
   the *tick* of its *stream* at which it last changed, written in the same transaction
   as the change.
2. **The channel layer is a doorbell.** An event says "stream X is at tick n" and nothing
   else. Losing one costs a moment, never a row.
3. **A page is a cursor.** At every connection it tells the server the last tick it has
   seen of each stream; the server answers with what changed since, as HTML that may be
   applied twice without harm. Only such an answer moves a page's cursor, for only that
   leaves no gap: what brings older things, or more, does not.

The words, and where each is written down:

========  ==========================================================  ==================
stream    something that can be watched, named by an object           ``streams.py``
tick      a stream's counter; its newest value is the *head*          ``ticks.py``
item      a row shown in a stream, *born* and *changed* at ticks      ``items.py``
fragment  HTML with the place it belongs to                           ``fragments.py``
debt      the fragment by which a page that missed too much asks for  ``again.py``
          itself again
cursor    the last tick of a stream that a page has seen              ``cursors.py``
delta     the fragments that bring a cursor up to the head            ``deltas.py``
ring      to announce a stream's new head, after commit               ``doorbell.py``
hub       one per process: hears rings, renders a delta once, and     ``hub.py``
          hands the text to every listener
listener  one open page's socket                                      ``consumers.py``
whisper   live but not recorded: typing                               ``presence/``
heartbeat the hub's slow clock: heals lost rings, renews the lease,   ``heartbeat.py``
          runs periodic tasks; and tells pages that they are live:
          a page that hears none asks over HTTP
who is    the people and tabs on a stream, across processes           ``presence/``
here
lease     a process's proof of life; presence belongs to it           ``lease.py``
page      an anonymous answer, kept until one of its streams rings    ``http/pages.py``
========  ==========================================================  ==================

An app that wants to be live declares a ``Stream`` for each of its watched models, in its ``streams.py``; changes what
its pages show within ``change``; and has its views answer with ``page`` and ``answer``::

    # models.py                                        # streams.py
    class Poll(live.Watched, models.Model):            @live.register(Poll)
        question = models.CharField(max_length=200)    class PollStream(live.Stream):
                                                           lists = [
    class Option(live.Item):                                   live.ItemList("options", "#options", "option.html")
        shown_in = "poll"                                  ]
        poll = models.ForeignKey(Poll, models.CASCADE,
                                 related_name="options")   def allows(self, person):
        votes = models.IntegerField(default=0)                 return True

    # views.py
    def poll(request, pk):
        poll = get_object_or_404(Poll, pk=pk)
        return live.page(request, "poll.html", lambda: {"poll": poll}, shows=[poll])

    def vote(request, pk):
        option = get_object_or_404(Option, pk=pk)
        with option.change():
            option.votes += 1
            option.save()
        return live.answer(request, option.poll)

The page's template has ``{% live live %}`` and in its head ``{% include "live/head.html" %}``; ``option.html`` shows an
``option`` in an element with the id ``option-{{ option.pk }}`` and ``data-key="{{ option.pk }}"``; its form has
``hx-include="#live"`` and ``hx-swap="none"``.

The names of the public interface are those of this package itself: see ``PUBLIC``, below, for where they come from.
``cache.py`` keeps HTML that was rendered already, for the answers to forms, open pages and those who come back;
``viewers.py`` says who is behind a page, ``limits.py`` how much they may ask for, ``testing.py`` is a page without a
browser. ``http/`` holds what stands before Django or in a server, all of it optional. Read in this order: ``items``,
``lists``, ``streams``, ``changes``, ``ticks``, ``cursors``, ``deltas``,
``doorbell``, ``hub``, ``consumers``; the rest as needed. How
a project takes it up, and the settings: ``README.md``.
"""

from importlib import import_module
from typing import Any

PUBLIC = {
    "changes": ["Watched", "change"],
    "cursors": ["cursors"],
    "items": ["Item"],
    "lists": ["ItemList", "Part"],
    "presence": ["CountsReaders", "ShowsPeople", "ShowsTyping"],
    "shortcuts": ["answer", "page"],
    "streams": ["Stream", "register"],
}
_module_of = {name: module for module, names in PUBLIC.items() for name in names}


def __getattr__(name: str) -> Any:
    """The public names, each imported when it is asked for: models are there only once Django is set up."""
    if name not in _module_of:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_module_of[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_module_of])
