"""Items: the rows that pages show live."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import models

from live.changes import Change, change, tick_under_way
from live.streams import kind_of, name_of


class Item(models.Model):
    """A row that a stream shows; index the foreign key of what it stands in together with ``changed``.

    ``shown_in`` is the thing in whose stream it shows: the name of the foreign key, or such a thing itself.

    ``born`` and ``changed`` are the ticks at which it came to its place and last changed. Saved within a change of its
    stream (``live.change``) it is stamped with them; ``QuerySet.update`` and ``bulk_create`` stamp nothing.
    """

    shown_in: Any = None
    born = models.BigIntegerField(default=0, editable=False)
    changed = models.BigIntegerField(default=0, editable=False)

    class Meta:
        abstract = True

    def save(self, *arguments: Any, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        if self.is_told and (tick := tick_under_way(self.stream)):
            self.stamp(tick)
            update_fields = update_fields and {*update_fields, "born", "changed"}
        super().save(*arguments, update_fields=update_fields, **options)

    @contextmanager
    def change(self, *others: Any) -> Iterator[Change]:
        """As ``live.change`` of what this item shows in, and of ``others`` (things); it is read afresh. → ``Change``

        What was not saved is forgotten.
        """
        shown_in = getattr(self, self.shown_in) if isinstance(self.shown_in, str) else self.shown_in
        with change(shown_in, *others) as now:
            self.refresh_from_db()
            yield now

    def stamp(self, tick: int) -> None:
        """Mark the row as changed at ``tick`` (int), and as born there if it is new. Does not save."""
        self.changed = tick
        self.born = self.born or tick

    @property
    def stream(self) -> str:
        """The name (str) of the stream that shows it."""
        if not isinstance(self.shown_in, str):
            return name_of(self.shown_in)
        field: Any = self._meta.get_field(self.shown_in)
        return f"{kind_of(field.related_model)}:{getattr(self, field.attname)}"

    @property
    def is_told(self) -> bool:
        """Whether open pages are to be told of it; not of what waits for something, say."""
        return True

    @property
    def is_as_born(self) -> bool:
        """Whether it never changed since it came to its place."""
        return self.changed == self.born
