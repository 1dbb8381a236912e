"""What a person finds of what they said in rooms in the export of their data: their own words alone."""

from people.export import exports


@exports("messages")
def messages(person):
    for message in person.messages.select_related("room").order_by("pk").iterator():
        yield {"at": message.created_at, "edited": message.edited_at, "in": str(message.room), "text": message.body}
