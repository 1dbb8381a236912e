"""What becomes of what a person said in rooms when they close their account: they decide, as of their comments."""

from people.closing import on_closing
from rooms.models import Room


@on_closing
def close(person, *, comments_stay):
    for membership in person.memberships.standing().exclude(room__kind=Room.Kind.DIRECT):
        membership.leave()
    person.blocks.all().delete()
    if not comments_stay:
        for message in person.messages.exclude(body="").select_related("room"):
            message.erase()
