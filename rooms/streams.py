"""Which streams the rooms have, who may listen to them, and which partial shows which item."""

from django.conf import settings
from django.db.models import Q
from django.template.loader import render_to_string

from live import fragments
from live.heartbeat import periodic_task
from live.lists import ItemList, Part
from live.presence import ShowsPeople, ShowsTyping
from live.streams import Stream, register
from people.models import Person
from people.streams import end_of_session
from rooms.models import Membership, MyRooms, OpenRooms, Room
from rooms.models.room import mark_unread

periodic_task(mark_unread)


def make_room(message):
    """What takes off the newest page the line that is one too many since ``message``, and is read aloud."""
    room = message.room
    before = room.messages.visible().filter(pk__lt=message.pk).order_by("-pk").values_list("pk", flat=True)
    old, announced_line = before[settings.MESSAGES_IN_PAGE - 1 : settings.MESSAGES_IN_PAGE], ""
    if message.pk >= room.last:
        announced_line = fragments.replace(
            render_to_string("partials/rooms/announced_line.html", {"message": message}), "#announced-line"
        )
    elif message.pk < room.floor:  # it was put back among older lines than the page holds
        old = [message.pk]
    return fragments.join(
        [*(fragments.remove_unless_typed(f"#messages > #message-{pk}") for pk in old), announced_line]
    )


MESSAGES = ItemList(
    lambda room: room.messages.with_related().with_is_decided(),
    into="#messages",
    template="partials/rooms/message.html",
    removed="removed_at",
    body="partials/rooms/message_body.html",
    place="partials/rooms/message_place.html",
    then=make_room,
)


@register(Room)
class RoomStream(ShowsPeople, ShowsTyping, Stream):
    """A room: its lines, who is here, and who is typing."""

    limit = settings.MESSAGES_IN_PAGE
    lists = [MESSAGES]
    parts = [
        Part("#earlier", "partials/rooms/earlier.html", value="floor"),
        Part("#newest", "partials/rooms/newest.html", swap="replace"),  # a new element looks anew whether it is seen
        Part("#room-state", "partials/rooms/room_state.html"),
    ]

    def allows(self, person):
        return self.thing.readable_by(person)

    def allowed(self, people):
        return people if self.thing.kind == Room.Kind.OPEN else people.intersection(self.thing.members)

    def totals(self):
        room = self.thing
        if room.is_direct:
            head = fragments.morph(render_to_string("partials/rooms/departed.html", {"room": room}), "#departed")
        else:
            head = names_of(room, "#room-name", "#room-topic")
        return head + super().totals()

    def ended(self, viewer):
        """The lines stay, and the form with what is typed in it; nobody is shown to be here."""
        left = fragments.morph(render_to_string("partials/rooms/room_left.html", {"room": self.thing}), "#room-state")
        return end_of_session(viewer) or (left + fragments.remove("#people-here > *"), None)

    @classmethod
    def deleted(cls):
        return fragments.morph(render_to_string("partials/rooms/room_left.html", {"room": Room()}), "#room-state")

    @staticmethod
    def hidden(among):
        unseen = Person.objects.filter(Q(appear_offline=True) | Q(is_active=False), pk__in=among)
        return set(map(str, unseen.values_list("pk", flat=True)))

    def people(self, ids, anonymous, joined=(), left=()):
        many = len(ids) > settings.PEOPLE_SHOWN_UP_TO
        shown = ids[: settings.PEOPLE_SHOWN_OF_MORE] if many else ids
        moved = [] if many else [*joined, *left]
        seen = {str(pk): person for pk, person in Person.objects.in_bulk([*shown, *moved]).items()}
        here, joined, left = ([seen[pk] for pk in some if pk in seen] for some in (shown, joined, left))
        context = {"number": len(ids), "here": here, "more": len(ids) - len(shown), "anonymous": anonymous}
        html = fragments.morph(render_to_string("partials/rooms/people_here.html", context), "#people-here")
        if joined or left:
            line = render_to_string("partials/rooms/joined_and_left.html", {"joined": joined, "left": left})
            html += fragments.replace(line, "#joined-and-left")
        return html

    def typing(self, ids):
        people = Person.objects.filter(pk__in=ids, is_active=True, appear_offline=False).order_by("pk")
        names = [str(person) for person in people]
        return fragments.replace(render_to_string("partials/rooms/typing.html", {"names": names}), "#typing")


def names_of(room, name, topic):
    return fragments.text(room.name, name) + fragments.text(room.topic, topic)


@register(OpenRooms)
class OpenRoomsStream(Stream):
    """The list of the rooms that are open to all: of a row that is there only the names change, for it is marked."""

    public = True
    lists = [
        ItemList(
            lambda rooms: Room.objects.all(),
            into="#rooms",
            template="partials/rooms/room_row.html",
            element=lambda row: f"room-{row.room.pk}",
            removed=lambda row: row.room.kind != Room.Kind.OPEN,
            arrives=None,  # it may be opened again
            body=lambda row: names_of(row.room, f"#room-{row.room.pk}-name", f"#room-{row.room.pk}-topic"),
            load=lambda rooms: [
                Membership(room=room, read=room.last, born=room.born, changed=room.changed) for room in rooms
            ],
        )
    ]


def conversation(row):
    """What tells the page of a conversation that was none yet, that the other side has begun it."""
    if not row.room.is_direct:
        return ""
    html = render_to_string("partials/rooms/conversation_started.html", {"conversation": row.room})
    return fragments.morph(html, f"#conversation-started-{row.room.handle}")


@register(MyRooms)
class MyRoomsStream(Stream):
    """A person's list of rooms and conversations, with its marks of what is unread."""

    lists = [
        ItemList(
            lambda rooms: Membership.objects.filter(person=rooms.pk).listed(),
            into=lambda row: "#conversations" if row.room.is_direct else "#rooms",
            template="partials/rooms/room_row.html",
            element=lambda row: f"room-{row.room.pk}",
            order=lambda row: "desc" if row.room.is_direct else "asc",
            removed=lambda row: row.room.kind != Room.Kind.OPEN and row.left_at,
            arrives=None,
            then=conversation,
        )
    ]

    @classmethod
    def load(cls, key):
        return MyRooms(int(key))

    def allows(self, person):
        return person.is_active and person.pk == self.thing.pk
