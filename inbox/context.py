from django.utils.functional import SimpleLazyObject

from inbox.models import Announcement


def inbox(request):
    """For every page: the number of ``unread`` rows of the signed-in, and the ``announcements`` that stand.

    Asked when a template does, and no sooner.
    """
    user = getattr(request, "user", None)
    if user is None:  # an error before anybody was asked who they are
        return {}

    def announcements():
        current = Announcement.objects.current()
        return list(current.exclude(dismissals__person=user.pk) if user.is_authenticated else current)

    def unread():
        return user.notifications.unread().count() if user.is_authenticated else 0

    return {"unread": SimpleLazyObject(unread), "announcements": SimpleLazyObject(announcements)}
