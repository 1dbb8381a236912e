from django.template.loader import render_to_string

from live import fragments
from live.streams import Stream, register
from notes.models import Notebook


@register(Notebook)
class NotebookStream(Stream):
    def allows(self, person):
        return person.is_authenticated and person.is_staff

    def items(self, since):
        return self.thing.note_set.filter(changed__gt=since).order_by("changed")[: self.limit + 1]

    def show(self, note, since):
        return fragments.upsert(render_to_string("notes/_note.html", {"note": note}), "#notes")

    def farewell(self):
        return fragments.text("You may not read on.", "#notes")
