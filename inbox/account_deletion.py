"""What becomes of a person's inbox when they close their account: it goes."""

from inbox.models import Dismissal, Follow, Ignore, Mute, Notification
from people.account_deletion import on_account_deletion


@on_account_deletion
def delete(person, **_):
    for model in (Notification, Dismissal, Follow, Ignore, Mute):
        model.objects.filter(person=person).delete()
    Follow.objects.filter(author=person).delete()
