"""A person's own stream carries their inbox; the board's carries what is announced to everybody."""

from django.template.loader import render_to_string

from inbox.models import ANNOUNCEMENTS, Announcement, Announcements
from inbox.models.announcement import update_announcements
from inbox.models.fan_out import run_fan_outs
from live import fragments
from live.heartbeat import periodic_task
from live.lists import ItemList
from live.shortcuts import on_every_page
from live.streams import Stream, register
from people.models import Person
from people.streams import PersonStream

periodic_task(update_announcements)
periodic_task(run_fan_outs)
on_every_page.append(lambda request: [ANNOUNCEMENTS])


@register(Person)
class InboxStream(PersonStream):
    """What concerns a person alone: their session, their inbox and its badge."""

    lists = [
        ItemList(
            "notifications",
            into="#inbox",
            template="partials/inbox/notification.html",
            order="desc",
            removed="withdrawn",
            arrives="moved",
            earlier="#earlier-notifications",
            load=lambda rows: rows.with_related(),
        )
    ]

    def totals(self):
        badge = self.thing.notifications.unread().count()
        dismissed = Announcement.objects.current().filter(dismissals__person=self.thing)
        return fragments.join(
            [
                fragments.morph(render_to_string("partials/inbox/badge.html", {"badge": badge}), "#badge"),
                fragments.replace(render_to_string("partials/inbox/retitle.html", {"retitle": badge}), "#retitle"),
                *(fragments.remove(f"#announcement-{announcement.pk}") for announcement in dismissed),
            ]
        )


@register(Announcements)
class AnnouncementsStream(Stream):
    public = True
    lists = [
        ItemList(
            lambda announcements: Announcement.objects.all(),
            into="#announcements",
            template="partials/inbox/announcement.html",
            order="desc",
            removed=lambda announcement: not announcement.is_current,
            arrives=None,
        )
    ]
