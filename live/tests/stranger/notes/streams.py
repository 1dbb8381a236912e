import live
from live import fragments
from notes.models import Notebook


@live.register(Notebook)
class NotebookStream(live.Stream):
    lists = [live.ItemList("notes", into="#notes", template="notes/note.html")]

    def allows(self, person):
        return person.is_authenticated and person.is_staff

    def ended(self, viewer):
        return fragments.text("You may not read on.", "#notes"), None
