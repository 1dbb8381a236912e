"""What a person finds of what they said in rooms in the export of their data: their own words alone."""

from functools import cache

from people.export import exports


@exports("messages")
def messages(person):
    readable = cache(lambda room: room.readable_by(person))
    for message in person.messages.select_related("room").order_by("pk").iterator():
        room = str(message.room) if readable(message.room) else ""
        yield {"at": message.created_at, "edited": message.edited_at, "in": room, "text": message.body}
