"""What becomes of what a person said in rooms when they close their account: they decide, as of their comments."""

from people.account_deletion import on_account_deletion
from rooms.models import Room


@on_account_deletion
def delete(person, *, comments_stay):
    for membership in person.memberships.current().exclude(room__kind=Room.Kind.DIRECT):
        membership.leave()
    person.blocks.all().delete()
    if not comments_stay:
        for message in person.messages.exclude(body="").select_related("room"):
            message.erase()
