"""Who is here, and who is typing: an optional part of a stream, and of the hub.

A stream that shows it is one of these classes as well: ``class RoomStream(ShowsPeople, ShowsTyping, Stream)``. Without
such a stream nothing of this is loaded: ``tracker`` is what one process knows and tells its pages, ``rows`` what all
processes know.
"""

from collections.abc import Sequence


class CountsReaders:
    """A ``Stream`` whose pages tell how many have them open."""

    hub_part = "live.presence.tracker.PresenceTracker"

    def readers(self, count: int) -> str:
        """Fragments that say that ``count`` people (int) have the page open."""
        raise NotImplementedError


class ShowsPeople:
    """A ``Stream`` whose pages tell who has them open."""

    hub_part = "live.presence.tracker.PresenceTracker"

    def people(self, ids: Sequence[str], anonymous: int, joined: Sequence[str] = (), left: Sequence[str] = ()) -> str:
        """Fragments that say that the people ``ids`` have the page open and ``anonymous`` (int) others.

        ``joined`` and ``left`` are those who were not here before, or are here no longer. All ids are str.
        """
        raise NotImplementedError

    @staticmethod
    def hidden(among: set[str]) -> set[str]:
        """Those of the people ``among`` (set of ids, str) of whom nobody shall know that they are here (set of str)."""
        return set()


class ShowsTyping:
    """A ``Stream`` whose pages tell who is typing there."""

    hub_part = "live.presence.tracker.PresenceTracker"

    def typing(self, ids: list[str]) -> str:
        """Fragments that say that the people ``ids`` (list of str, not more than three) are typing; or nobody."""
        raise NotImplementedError
