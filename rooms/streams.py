"""Which streams the rooms have, who may listen to them, and which partial shows which item."""

from django.conf import settings
from django.db.models import Q
from django.template.loader import render_to_string

from live import fragments
from live.hub import on_pulse
from live.streams import Stream, register
from people.models import Person
from rooms.models import OPEN_ROOMS, Membership, MyRooms, OpenRooms, Room
from rooms.models.room import mark_unread

on_pulse(mark_unread)


@register(Room)
class RoomStream(Stream):
    """A room: its lines, who is here, and who is typing."""

    limit = settings.MESSAGES_IN_PAGE
    shows_people = True

    def allows(self, person):
        return self.thing.readable_by(person)

    def allowed(self, people):
        return people if self.thing.kind == Room.Kind.OPEN else people.intersection(self.thing.members)

    def items(self, since):
        return self.thing.messages.filter(changed__gt=since).drawn().order_by("pk")[: self.limit + 1]

    def show(self, message, since):
        name = f"message-{message.pk}"
        if message.removed_at:
            return fragments.withdraw(render_to_string("partials/message_place.html", {"place": message}), name)
        new = message.born > since
        body = ""
        if not new or message.changed > message.born:  # or a page that has it has it so
            html = render_to_string("partials/message_body.html", {"message": message})
            body = fragments.morph(html, f"#{name}-body")
        if not new:
            return body
        latest = fragments.replace(render_to_string("partials/latest.html", {"message": message}), "#latest")
        return place(message) + body + self.drop(message) + latest

    def drop(self, message):
        """What takes off the newest page the line that is one too many since ``message``."""
        before = self.thing.messages.standing().filter(pk__lt=message.pk).order_by("-pk").values_list("pk", flat=True)
        old = before[settings.MESSAGES_IN_PAGE - 1 : settings.MESSAGES_IN_PAGE]
        return fragments.join(fragments.remove_unless_typed(f"#messages > #message-{pk}") for pk in old)

    def totals(self):
        if self.thing.is_direct:
            head = [fragments.morph(render_to_string("partials/gone.html", {"room": self.thing}), "#gone")]
        else:
            head = names_of(self.thing, "#room-name", "#room-topic")
        return fragments.join(
            [
                *head,
                fragments.morph(render_to_string("partials/earlier.html", {"earlier": self.thing.floor}), "#earlier"),
                # Not morphed: a new element looks anew whether it is seen.
                fragments.replace(render_to_string("partials/newest.html", {"room": self.thing}), "#newest"),
                fragments.morph(render_to_string("partials/room_state.html", {"room": self.thing}), "#room-state"),
            ]
        )

    def farewell(self):
        return fragments.replace(render_to_string("partials/room_left.html", {"room": self.thing}), "#room")

    @staticmethod
    def hidden(among):
        unseen = Person.objects.filter(Q(appear_offline=True) | Q(is_active=False), pk__in=among)
        return set(map(str, unseen.values_list("pk", flat=True)))

    def people(self, ids, anonymous, came=(), left=()):
        many = len(ids) > settings.PEOPLE_SHOWN_UP_TO
        shown = ids[: settings.PEOPLE_SHOWN_OF_MORE] if many else ids
        moved = [] if many else [*came, *left]
        seen = {str(pk): person for pk, person in Person.objects.in_bulk([*shown, *moved]).items()}
        here, came, left = ([seen[pk] for pk in some if pk in seen] for some in (shown, came, left))
        context = {"number": len(ids), "here": here, "more": len(ids) - len(shown), "anonymous": anonymous}
        told = fragments.morph(render_to_string("partials/people_here.html", context), "#people-here")
        if came or left:
            line = render_to_string("partials/came.html", {"came": came, "left": left})
            told += fragments.replace(line, "#came")
        return told

    def speakers(self, among):
        return among.filter(memberships__room=self.thing, memberships__left_at=None)

    def typing(self, ids):
        people = Person.objects.filter(pk__in=ids, is_active=True, appear_offline=False).order_by("pk")
        names = [str(person) for person in people]
        return fragments.replace(render_to_string("partials/typing.html", {"names": names}), "#typing")


def place(message, older=False):
    """The fragment that puts ``message`` at its place, if it is missing there; perhaps with a way to ``older`` ones."""
    html = render_to_string("partials/message.html", {"message": message, "older": older})
    return fragments.insert(html, f"message-{message.pk}", "#messages")


@register(OpenRooms)
class OpenRoomsStream(Stream):
    """The list of the rooms that are open to all: of a row that is there only the names change, for it is marked."""

    @classmethod
    def load(cls, key):
        return OPEN_ROOMS if key == str(OPEN_ROOMS.pk) else None

    def allows(self, person):
        return True

    def items(self, since):
        return Room.objects.filter(changed__gt=since).order_by("pk")[: self.limit + 1]

    def show(self, room, since):
        name = f"#room-{room.pk}"
        if room.kind != Room.Kind.OPEN:
            return fragments.remove(name)
        if room.born > since:
            row = Membership(room=room, read=room.last)
            return fragments.upsert(render_to_string("partials/room_row.html", {"row": row}), "#rooms")
        return fragments.join(names_of(room, f"{name}-name", f"{name}-topic"))


def names_of(room, name, topic):
    return [fragments.text(room.name, name), fragments.text(room.topic, topic)]


@register(MyRooms)
class MyRoomsStream(Stream):
    """A person's list of rooms and conversations, with its marks of what is unread."""

    @classmethod
    def load(cls, key):
        return MyRooms(int(key))

    def allows(self, person):
        return person.is_active and person.pk == self.thing.pk

    @property
    def memberships(self):
        return Person(pk=self.thing.pk).memberships.listed()

    def items(self, since):
        return self.memberships.filter(changed__gt=since).order_by("room__last")[: self.limit + 1]

    def show(self, membership, since):
        room = membership.room
        if room.kind == Room.Kind.OPEN or not membership.left_at:
            html = render_to_string("partials/room_row.html", {"row": membership})
            if not room.is_direct:
                return fragments.upsert(html, "#rooms")
            begun = fragments.morph(render_to_string("partials/begun.html", {"begun": room}), f"#begun-{room.handle}")
            return fragments.upsert(html, "#conversations", newest_first=True) + begun
        return fragments.remove(f"#room-{room.pk}")
