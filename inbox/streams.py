"""A person's own stream carries their inbox; the board's carries what is announced to everybody."""

from django.template.loader import render_to_string

from inbox.models import BOARD, Announcement, Board
from inbox.models.announcement import turn_board
from inbox.models.errand import run_errands
from live import fragments
from live.hub import on_pulse
from live.streams import Stream, register
from people.models import Person
from people.streams import EVERYWHERE, PersonStream

on_pulse(turn_board)
on_pulse(run_errands)
EVERYWHERE.append(BOARD)


@register(Person)
class InboxStream(PersonStream):
    """What concerns a person alone: their session, their inbox and its badge."""

    def items(self, since):
        return self.thing.notifications.filter(changed__gt=since).order_by("at", "pk")[: self.limit + 1].drawn()

    def show(self, notification, since):
        name = f"#notification-{notification.pk}"
        if notification.gone:
            return fragments.remove(name)
        html = render_to_string("partials/notification.html", {"notification": notification})
        if notification.moved <= since:
            return fragments.morph(html, name)
        elsewhere = fragments.remove(f".inbox:not(#inbox) > {name}")  # it goes to the top, which is another page's
        return elsewhere + fragments.upsert(html, "#inbox", newest_first=True)

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
    @classmethod
    def load(cls, key):
        return BOARD if key == str(BOARD.pk) else None

    def allows(self, person):
        return True

    def items(self, since):
        return Announcement.objects.filter(changed__gt=since).order_by("starts")[: self.limit + 1]

    def show(self, announcement, since):
        if not announcement.is_current:
            return fragments.remove(f"#announcement-{announcement.pk}")
        html = render_to_string("partials/announcement.html", {"announcement": announcement})
        return fragments.upsert(html, "#announcements", newest_first=True)
