from contextlib import contextmanager

from django.conf import settings
from django.contrib.contenttypes.fields import GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

import live
from inbox.models import Notification, NotificationSource, notify
from inbox.models.things import pointing
from live.ticks import tick
from moderation.models.action import Action
from moderation.models.purge import Purge
from moderation.models.queue import QUEUE
from moderation.models.report import Report
from moderation.rules import REASON_LENGTH, clean_reason, moderates
from people.models import Person
from people.rates import TOO_OFTEN, consume
from people.rules import Refused


class ModeratedQuerySet(models.QuerySet):
    def with_is_decided(self):
        """With ``is_decided``: whether moderators ever decided about it, so that pages may show it as it was before."""
        actions = Action.objects.filter(target_type=ContentType.objects.get_for_model(self.model))
        return self.annotate(is_decided=Exists(actions.filter(target_id=OuterRef("pk"))))


class Moderated(models.Model):
    """Base of what people say and moderators look after: comments, messages in rooms.

    The verbs of moderation. Each done twice is done once. Each raises ``PermissionDenied`` for those who may not, and
    ``Refused`` with what stands against it.

    A model has an ``author`` (Person, or None), ``created_at``, ``body`` and ``html``, and a manager with
    ``purgeable()``, those that a purge removes, and ``for_moderators()``, with what lists for them read of other rows.
    It says what ``NotImplementedError`` asks for below, and in ``NOTICES`` what the author is told of an action:
    sentences, by kind, which may name %(title)s and %(reason)s.

    Whatever changes it locks its thread first, then the queue, then people, all in one call.
    """

    NOTICES = {}

    removed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("removed by")
    )
    reason = models.CharField(_("reason"), max_length=REASON_LENGTH, blank=True)
    reports = GenericRelation(Report, "target_id", "target_type", related_query_name="%(class)s")
    actions = GenericRelation(Action, "target_id", "target_type", related_query_name="%(class)s")

    class Meta:
        abstract = True

    # Verbs

    def report(self, by, reason, client_info=None):
        """Let ``by`` tell the moderators, once, what is wrong with it; ``client_info`` (ClientInfo): where from."""
        reason = clean_reason(reason, _("Say what is wrong with it."))
        with live.change() as now:
            if client_info:
                consume("report", by, client_info.address, TOO_OFTEN)
            now.lock(QUEUE)
            self.refresh_from_db()
            if by.pk == self.author_id:
                raise Refused(_("This is your own."))
            if not self.is_shown:
                raise Refused(_("It was removed already."))
            if self.reports.filter(by=by).exists():
                raise Refused(_("You have reported this already. Thank you."))
            self.reports.create(by=by, reason=reason)

    def keep(self, by):
        """Let it stand though it was reported: its reports are dealt with."""
        self.require_moderated_by(by)
        with live.change(QUEUE) as now:
            if not self.settle_reports(by):
                return now.undo()
            self.record(by, Action.Kind.KEPT)

    def remove(self, by, reason=""):
        """Take it off the pages, as its author or as a moderator (with a ``reason``, str).

        Removing it again changes nothing.
        """
        with self.change_of_thread() as now:
            own = by.pk == self.author_id
            if not own:
                self.require_moderated_by(by)
            if self.is_removed:
                return now.undo()  # nothing changed: no page is told
            if own:
                self.check_deletable()
            self._remove(now, by, "" if own else clean_reason(reason, _("Say why you remove it.")))

    def restore(self, by):
        """Show it again, after a moderator removed it."""
        self.require_moderated_by(by)
        with self.change_of_thread() as now:
            if not self.is_removed or self.is_rejected:
                return now.undo()
            if self.removed_by_id in (None, self.author_id):
                raise Refused(_("Its author deleted it."))
            self.lock_people_concerned()
            self.put_back()
            self.record(by, Action.Kind.RESTORED)

    def ban_author(self, by, reason, purge=False):
        """Ban its author for a ``reason`` (str), and with ``purge`` remove all that they ever said."""
        self.require_moderated_by(by)
        reason = clean_reason(reason, _("Say why you ban this person."))
        if not self.author_id:
            raise Refused(_("Its author has no account."))
        if not self.author.bannable_by(by):
            raise Refused(_("You may not ban this person."))
        with transaction.atomic():
            self.author.ban(by, reason)
            self.record(by, Action.Kind.BANNED, reason)
            order = purge and Purge.objects.create(person=self.author, by=by, reason=reason)
        if order:
            order.carry_on()

    def purge(self, by, reason):
        """Remove it with all that its author said, whether moderators may read it or not. See ``Purge``."""
        with self.change_of_thread() as now:
            if self.is_removed:
                return now.undo()
            self._remove(now, by, reason)

    def erase(self):
        """Take it off the pages with all that was ever said in it, for its author leaves."""
        with self.change_of_thread() as now:
            self.forget_text()
            if self.is_removed:
                return self.save()
            self.leave_queue(now, self.author)
            self.take_down()

    # The rest of the verbs

    @contextmanager
    def change_of_thread(self):
        """A change of it where it stands, as ``live.change``; it is read afresh. → ``Change``"""
        with live.change() as now:
            self.lock_thread(now)
            self.refresh_from_db()
            yield now

    def _remove(self, now, by, reason):
        self.leave_queue(now, by)
        self.lock_people_concerned()
        self.removed_by, self.reason = by, reason
        self.take_down()
        if self.is_open_to_moderators or self.moderated_by(by):  # or other moderators would find it among the actions
            self.record(by, Action.Kind.REMOVED, reason)

    def record(self, by, kind, reason=""):
        """Write down what was decided, and let the author know of it, unless they did it themselves."""
        action = self.actions.create(by=by, kind=kind, reason=reason)
        if kind in self.NOTICES and self.author_id and by != self.author:
            notify(Notification.Kind.MODERATION, [self.author], thread=self.thread, source=action, by=None)

    def leave_queue(self, now, by):
        """Let moderators be bothered with it no more, for ``by`` settled it in the change ``now``."""
        if self.is_waiting or self.reports.open().exists():
            now.lock(QUEUE)
            self.settle_reports(by)

    def settle_reports(self, by):
        """Close its open reports. → how many there were"""
        return self.reports.open().update(settled_at=timezone.now(), settled_by=by)

    def lock_people_concerned(self):
        """Lock the streams of all whom a decision concerns, in one go: so no two decisions wait for each other."""
        told = Person.objects.filter(
            pk__in=NotificationSource.objects.filter(**pointing("source", self)).values("person")
        )
        new = [person for people in self.recipients().values() for person in people]
        tick(*told, *new, *filter(None, [self.author]))

    def require_moderated_by(self, person):
        if not self.moderated_by(person):
            raise PermissionDenied

    # What a model says

    @property
    def thread(self):
        """The post or the room in which it was said."""
        raise NotImplementedError

    @property
    def is_shown(self):
        """Whether it can be read."""
        raise NotImplementedError

    def lock_thread(self, now):
        """Lock the stream of its thread, and what else shows it, in the change ``now``."""
        raise NotImplementedError

    def take_down(self):
        """Leave the pages, with what was told of it, and save."""
        raise NotImplementedError

    def put_back(self):
        """Stand at its place again, be told of, and save. May raise ``Refused``."""
        raise NotImplementedError

    def check_deletable(self):
        """Raises ``Refused`` if its author may not delete it any more."""
        raise NotImplementedError

    def recipients(self):
        """Whom it concerns while it is shown: dict of kind of notification to people."""
        raise NotImplementedError

    is_waiting = is_rejected = False
    is_decided = False  # set by ``with_is_decided``
    reason_is_public = False  # whether the pages show why it was removed
    earlier_texts = ()  # with ``body`` and ``replaced_at``

    @property
    def is_removed(self):
        return not self.is_shown and not self.is_waiting

    @property
    def is_visible(self):
        """Whether pages show where it stands."""
        return self.is_shown

    @property
    def name(self):
        """What its author is called."""
        return str(self.author)

    @property
    def is_open_to_moderators(self):
        """Whether every moderator may read it."""
        return True

    @property
    def context_lines(self):
        """What a moderator should read to understand it (list of the same model): itself, perhaps among others."""
        return [self]

    def moderated_by(self, person):
        """Whether ``person`` may decide about it."""
        return moderates(person)

    def forget_text(self):
        self.body = self.html = ""
