"""What moderators do with comments, and what waits for them."""

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inbox.models import Notification, NotificationSource, notify
from inbox.models.things import pointing
from live.ticks import tick
from people.models import Person
from people.rates import TOO_OFTEN, consume
from people.rules import Refused, normalize

REASON = 200  # characters
BATCH = 100  # comments that are purged at a time


class Queue:
    """What waits for moderators, as something that can be watched."""

    pk = 1


QUEUE = Queue()


def moderates(person):
    """Whether ``person`` is a moderator."""
    return person.has_perm("posts.moderate_comment")


def require_moderator(by):
    """Raises ``PermissionDenied`` unless ``by`` is a moderator."""
    if not moderates(by):
        raise PermissionDenied


def clean_reason(reason, message):
    """``reason`` (str) as it is kept: one line. Raises ``Refused``: with the sentence ``message`` if it is empty."""
    reason = " ".join(normalize(reason).replace("\0", "").split())  # PostgreSQL keeps no NUL
    if not reason:
        raise Refused(message)
    if len(reason) > REASON:
        raise Refused(_("A reason can have at most %(most)s characters."), params={"most": REASON})
    return reason


class Moderated:
    """The verbs of moderation, for ``Comment``. Each done twice is done once.

    Each raises ``PermissionDenied`` for those who may not, and ``Refused`` with what stands against it.
    """

    def approve(self, by):
        """Show a comment that waits or was rejected, at its place: its birth in the stream."""
        require_moderator(by)
        with transaction.atomic():
            now, _queue = tick(self.post, QUEUE)
            self.refresh_from_db()
            if self.state not in (self.State.WAITING, self.State.REJECTED):
                return
            self.lock_those_concerned()
            self._republish(now)
            self._record_action(by, ModerationAction.What.APPROVED)

    def reject(self, by, reason):
        """Show a comment that waits to nobody, neither its author, for a ``reason`` (str)."""
        require_moderator(by)
        reason = clean_reason(reason, _("Say why you reject this comment."))
        with transaction.atomic():
            now, _queue = tick(self.post, QUEUE)
            self.refresh_from_db()
            if self.state != self.State.WAITING:
                return
            self.lock_those_concerned()
            self.state, self.removed_by, self.reason = self.State.REJECTED, by, reason
            self.changed = now  # it was never born, but its author's pages, and moderators', show it
            self.save()
            self.withdraw_notifications()
            self._record_action(by, ModerationAction.What.REJECTED, reason)

    def restore(self, by):
        """Show a comment again that a moderator removed."""
        require_moderator(by)
        with transaction.atomic():
            now, _queue = tick(self.post, QUEUE)
            self.refresh_from_db()
            if self.state not in (self.State.TOMBSTONE, self.State.REMOVED):
                return
            if self.removed_by_id in (None, self.author_id):
                raise Refused(_("Its author deleted this comment."))
            self.lock_those_concerned()
            self._republish(now)
            self._record_action(by, ModerationAction.What.RESTORED)

    def report(self, by, reason, client_info=None):
        """Let ``by`` tell the moderators, once, what is wrong with this comment; ``client_info`` (ClientInfo): where
        from.
        """
        reason = clean_reason(reason, _("Say what is wrong with this comment."))
        with transaction.atomic():
            if client_info:
                consume("report", by, client_info.address, TOO_OFTEN)
            tick(QUEUE)
            self.refresh_from_db()
            if by.pk == self.author_id:
                raise Refused(_("This comment is your own."))
            if self.state != self.State.SHOWN:
                raise Refused(_("That comment was removed."))
            if self.reports.filter(by=by).exists():
                raise Refused(_("You have reported this comment already. Thank you."))
            self.reports.create(by=by, reason=reason)

    def keep(self, by):
        """Let a reported comment stand: its reports are dealt with."""
        require_moderator(by)
        with transaction.atomic():
            tick(QUEUE)
            if self._settle(by):
                self._record_action(by, ModerationAction.What.KEPT)

    def ban_author(self, by, reason, purge=False):
        """Ban its author for a ``reason`` (str), and with ``purge`` remove all that they ever said."""
        require_moderator(by)
        reason = clean_reason(reason, _("Say why you ban this person."))
        if not self.author_id:
            raise Refused(_("Its author has no account."))
        if not self.author.bannable_by(by):
            raise Refused(_("You may not ban this person."))
        with transaction.atomic():
            self.author.ban(by, reason)
            self._record_action(by, ModerationAction.What.BANNED, reason)
            task = purge and Purge.objects.create(person=self.author, by=by, reason=reason)
        if task:
            task.carry_on()

    # The rest of it

    def hold_for_review(self, action):
        """Keep a comment, unseen, for what the ``action`` (not saved) says; in the caller's transaction. → it"""
        rejected = action.what == ModerationAction.What.REJECTED
        self.state = self.State.REJECTED if rejected else self.State.WAITING
        self.save()
        action.comment, action.reason = self, action.reason[:REASON]
        action.save()
        return self

    def _republish(self, now):
        """Stand at its place from the tick ``now`` on, counted and told; above it stands again what held nothing."""
        above = self.parent
        if above and above.state in (self.State.WAITING, self.State.REJECTED):
            raise Refused(_("What this comment answers is not shown."))
        if self.state != self.State.TOMBSTONE:  # or it would take the place of the replies below it
            self.born = now
        self.changed = now
        self.state, self.removed_by, self.reason = self.State.SHOWN, None, ""
        self.save()
        self.post.count_comments(+1)
        self.notify()
        while above and above.state == self.State.REMOVED:
            above.state, above.born, above.changed = self.State.TOMBSTONE, now, now
            above.save()
            above = above.parent

    def lock_those_concerned(self):
        """Lock the streams of all whom a decision concerns, in one go: so no two decisions wait for each other."""
        notified = Person.objects.filter(
            pk__in=NotificationSource.objects.filter(**pointing("source", self)).values("person")
        )
        new = [person for people in self.recipients().values() for person in people]
        tick(*notified, *new, *filter(None, [self.author]))

    def _record_action(self, by, what, reason=""):
        """Write down what was decided, and let the author know of it, unless they did it themselves."""
        action = self.moderation_actions.create(by=by, what=what, reason=reason)
        if action.notice and self.author_id and by != self.author:
            notify(Notification.Kind.MODERATION, [self.author], thread=self.post, source=action, by=None)

    def _settle(self, by):
        """Close its open reports. → how many there were"""
        return self.reports.open().update(settled_at=timezone.now(), settled_by=by)


class ModerationAction(models.Model):
    """One thing that was decided about a comment: by whom (None: by the rules), what, and why. For moderators."""

    class What(models.TextChoices):
        NEW = "new", _("waits: its author is new")
        LINKS = "links", _("waits: it has many links")
        HELD = "held", _("waits: a spam check objects")
        APPROVED = "approved", _("approved")
        REJECTED = "rejected", _("rejected")
        REMOVED = "removed", _("removed")
        RESTORED = "restored", _("restored")
        KEPT = "kept", _("kept, though reported")
        BANNED = "banned", _("author banned")

    comment = models.ForeignKey("posts.Comment", models.CASCADE, related_name="moderation_actions")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by"))
    what = models.CharField(_("what"), max_length=10, choices=What)
    reason = models.CharField(_("reason"), max_length=REASON, blank=True)
    at = models.DateTimeField(_("time"), default=timezone.now)

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("moderation action")
        verbose_name_plural = _("moderation actions")

    def __str__(self):
        return self.get_what_display()

    def get_absolute_url(self):
        """Of what it is about: the comment if that can be seen, else the post."""
        seen = self.comment.is_shown or self.comment.state == self.comment.State.TOMBSTONE
        return (self.comment if seen else self.comment.post).get_absolute_url()

    @property
    def notice(self):
        """What the author is told (str, with %(title)s in it), or "" if it does not concern them."""
        sentences = {
            self.What.APPROVED: _("A moderator approved your comment on %(title)s"),
            self.What.REJECTED: _("A moderator did not accept your comment on %(title)s: %(reason)s"),
            self.What.REMOVED: _("A moderator removed your comment on %(title)s: %(reason)s"),
            self.What.RESTORED: _("A moderator restored your comment on %(title)s"),
        }
        return str(sentences.get(self.what, "")).replace("%(reason)s", self.reason)


class ReportQuerySet(models.QuerySet):
    def open(self):
        """Those that no moderator has dealt with."""
        return self.filter(settled_at=None)


class Report(models.Model):
    """What somebody finds wrong with a comment."""

    comment = models.ForeignKey("posts.Comment", models.CASCADE, related_name="reports", verbose_name=_("comment"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("reported by")
    )
    reason = models.CharField(_("reason"), max_length=REASON)
    at = models.DateTimeField(_("reported"), default=timezone.now)
    settled_at = models.DateTimeField(_("settled"), null=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("settled by")
    )

    objects = ReportQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["comment", "by"], name="one_report_per_person")]
        indexes = [models.Index(fields=["comment"], condition=Q(settled_at=None), name="open_reports")]
        verbose_name = _("report")
        verbose_name_plural = _("reports")

    def __str__(self):
        return self.reason


class Purge(models.Model):
    """The order to remove all that a person said. The heartbeat carries it on, some comments at a time."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    reason = models.CharField(max_length=REASON)
    at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True)

    def carry_on(self):
        """Remove the newest of the comments that are left. Several processes may do so at once."""
        left = self.person.comments.filter(state__in=["shown", "waiting"], created_at__lte=self.at).order_by("-pk")
        comments = list(left[:BATCH])
        try:
            for comment in comments:
                comment.remove(self.by, self.reason)
        except PermissionDenied:  # whoever ordered it is no moderator any more
            comments = []
        if len(comments) < BATCH:
            self.done_at = timezone.now()
            self.save(update_fields=["done_at"])


def purge_due():
    """Carry on what moderators ordered to be removed."""
    for purge in Purge.objects.filter(done_at=None).select_related("person", "by"):
        purge.carry_on()


class SuspectWord(models.Model):
    """A comment with this word or phrase in it waits for review."""

    word = models.CharField(
        _("word or phrase"),
        max_length=100,
        unique=True,
        help_text=_("Capitals do not matter. A word of Latin letters is found as a whole word only."),
    )

    class Meta:
        ordering = ["word"]
        verbose_name = _("suspect word")
        verbose_name_plural = _("suspect words")

    def __str__(self):
        return self.word
