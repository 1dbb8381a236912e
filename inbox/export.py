"""What a person finds of their inbox in the export of their data: what they were told, and what they chose."""

from inbox.models import Follow, Ignore, Mute
from inbox.models.notification import knows
from people.export import exports


@exports("inbox")
def inbox(person):
    for notification in person.notifications.visible().with_related():
        yield {"at": notification.at, "read": notification.read_at, "text": notification.sentence}


@exports("subscriptions")
def subscriptions(person):
    for follow in Follow.objects.filter(person=person).select_related("author"):
        yield {"at": follow.created_at, "follows": follow.author.username}
    for ignore in Ignore.objects.filter(person=person).select_related("ignored"):
        yield {"at": ignore.created_at, "ignores": ignore.ignored.username}
    for mute in Mute.objects.filter(person=person):
        may_know = mute.thread and knows(person, mute.thread)
        yield {"at": mute.created_at, "mutes": str(mute.thread) if may_know else ""}
