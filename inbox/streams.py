"""A person's own stream carries their inbox; the board's carries what is announced to everybody."""

from django.template.loader import render_to_string

from inbox.models import BOARD, Announcement, Board
from inbox.models.announcement import turn_board
from inbox.models.errand import run_errands
from live import fragments
from live.heartbeat import on_pulse
from live.lists import ItemList
from live.shortcuts import on_every_page
from live.streams import Stream, register
from people.models import Person
from people.streams import PersonStream

on_pulse(turn_board)
on_pulse(run_errands)
on_every_page.append(lambda request: [BOARD])


@register(Person)
class InboxStream(PersonStream):
    """What concerns a person alone: their session, their inbox and its badge."""

    lists = [
        ItemList(
            "notifications",
            into="#inbox",
            template="partials/notification.html",
            order="desc",
            gone="gone",
            arrives="moved",
            earlier="#earlier-notifications",
            load=lambda rows: rows.drawn(),
        )
    ]

    def totals(self):
        badge = self.thing.notifications.unread().count()
        dismissed = Announcement.objects.current().filter(dismissals__person=self.thing)
        return fragments.join(
            [
                fragments.morph(render_to_string("partials/badge.html", {"badge": badge}), "#badge"),
                fragments.replace(render_to_string("partials/retitle.html", {"retitle": badge}), "#retitle"),
                *(fragments.remove(f"#announcement-{announcement.pk}") for announcement in dismissed),
            ]
        )


@register(Board)
class BoardStream(Stream):
    public = True
    lists = [
        ItemList(
            lambda board: Announcement.objects.all(),
            into="#announcements",
            template="partials/announcement.html",
            order="desc",
            gone=lambda announcement: not announcement.is_current,
            arrives=None,
        )
    ]
