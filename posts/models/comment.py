from datetime import timedelta
from html import unescape

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.translation import gettext_lazy as _

import live
from inbox.models import Notification, newly_named, notify_each, withdraw_notifications
from moderation.models import QUEUE, Action, ModeratedQuerySet, Reviewed
from moderation.review import check_spam
from moderation.rules import moderates
from people.markdown import mentioned, render_markdown
from people.rates import TOO_OFTEN, check_rate, consume
from people.rules import Closed, Refused, normalize
from people.versions import check


class CommentQuerySet(ModeratedQuerySet):
    def visible(self):
        """The comments that pages show: those that are readable, and the tombstones that hold replies."""
        return self.filter(state__in=Comment.VISIBLE)

    def seen_by(self, person):
        """The comments that ``person``'s pages show: their own that wait as well, and to moderators all that wait."""
        if not person.is_authenticated:
            return self.visible()
        waiting = Q(state=Comment.State.WAITING)
        if not moderates(person):
            waiting &= Q(author=person)
        return self.filter(Q(state__in=Comment.VISIBLE) | waiting)

    def waiting(self):
        return self.filter(state=Comment.State.WAITING)

    def for_moderators(self):
        return self.with_related().select_related("post")

    def purgeable(self):
        """Those that a purge removes."""
        return self.filter(state__in=[Comment.State.SHOWN, Comment.State.WAITING])

    def with_related(self):
        """With what the partial reads of other rows."""
        return self.select_related("author", "parent__author")


class Comment(Reviewed, live.Item):
    """What somebody said about a post, perhaps in answer to ``parent``; ``root`` is its top-level ancestor.

    Removed, it is a tombstone as long as a reply stands below it, and gone after that. One that waits for review
    was not born into the stream yet: its author and moderators find it on their pages when they load them.
    """

    shown_in = "post"

    class State(models.TextChoices):
        WAITING = "waiting", _("Waits for review")
        REJECTED = "rejected", _("Rejected")
        SHOWN = "shown", _("Shown")
        TOMBSTONE = "tombstone", _("Removed, with replies")
        REMOVED = "removed", _("Removed")

    VISIBLE = [State.SHOWN, State.TOMBSTONE]
    NOTICES = {
        Action.Kind.APPROVED: _("A moderator approved your comment on %(title)s"),
        Action.Kind.REJECTED: _("A moderator did not accept your comment on %(title)s: %(reason)s"),
        Action.Kind.REMOVED: _("A moderator removed your comment on %(title)s: %(reason)s"),
        Action.Kind.RESTORED: _("A moderator restored your comment on %(title)s"),
    }

    post = models.ForeignKey("posts.Post", models.CASCADE, verbose_name=_("post"), related_name="comments")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, verbose_name=_("author"), related_name="comments"
    )
    guest = models.CharField(_("name"), max_length=100, blank=True)  # of an imported comment's author
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="answers")
    root = models.ForeignKey("self", models.PROTECT, null=True, related_name="branch")
    depth = models.PositiveSmallIntegerField(default=0)
    body = models.TextField(_("text"))
    html = models.TextField(editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.SHOWN)
    key = models.UUIDField(null=True, editable=False)
    created_at = models.DateTimeField(_("written"), default=timezone.now)
    edited_at = models.DateTimeField(_("edited"), null=True)
    origin = models.CharField(max_length=300, null=True, unique=True, editable=False)

    reason_is_public = True
    replies = ()  # those that a page shows below; set by whoever loads a thread
    more_replies = 0
    loaded = None  # the id of the last reply, if more were loaded than the first
    is_place = False  # whether it is no more, and only the place of a form that is open

    objects = CommentQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["post", "changed"]),
            models.Index(fields=["post", "parent", "-id"]),
            models.Index(fields=["id"], condition=Q(state="waiting"), name="waiting_comments"),
        ]
        constraints = [models.UniqueConstraint(fields=["author", "key"], name="one_comment_per_attempt")]
        verbose_name = _("comment")
        verbose_name_plural = _("comments")

    def __str__(self):
        return self.body[:60]

    def get_absolute_url(self):
        return reverse("comment", args=[self.pk])

    # Verbs

    def revise(self, by, body, client_info=None, opened=""):
        """Let ``by`` put ``body`` (str) in the place of the text. Raises ``Refused``, ``PermissionDenied``.

        ``opened`` is the ``version`` (str) of the text that was edited: ``Conflict`` if another one is stored by now.
        What came by a ``client_info`` (ClientInfo) is examined as a new comment is: an edit is no way past the review,
        nor past the moderator's eyes, if the comment still waits.
        """
        body = self.readable(body)
        if client_info:
            check_rate("edit", by, client_info.address, TOO_OFTEN)
        new = Comment(
            post=self.post, author=self.author, parent_id=self.parent_id, body=body, html=render_markdown(body)
        )
        objection = client_info and check_spam(new, client_info)
        with live.change() as now:
            if client_info:
                consume("edit", by, client_info.address, TOO_OFTEN)
            now.lock(self.post)
            self.refresh_from_db()
            if by.pk != self.author_id:
                raise PermissionDenied
            if self.is_removed:
                raise Refused(_("That comment was removed."))
            age = timezone.now() - self.created_at
            if age > timedelta(seconds=settings.COMMENT_EDIT_WITHIN):
                raise Refused(_("The time to edit this comment has passed."))
            if body == self.body:
                return
            check(self.body, opened)
            if objection and self.is_shown:
                raise Refused(_("With this text your comment would have to wait for review. Write it as a new one."))
            if objection:
                now.lock(QUEUE)
                self.hold_for_review(objection)
            before, self.body, self.html = self.body, new.body, new.html
            Revision.objects.create(comment=self, body=before)
            if age > timedelta(seconds=settings.COMMENT_EDIT_SILENT):
                self.edited_at = timezone.now()
            self.save()
            if self.is_shown:
                self.notify(before)

    def lock_thread(self, now):
        now.lock(self.post)

    def take_down(self):
        if self.is_shown:
            self.post.count_comments(-1)
            self.withdraw_notifications()
        self._tombstone()

    def _tombstone(self):
        """Become a tombstone, or be gone, and with it the tombstones above that held nothing else."""
        self.state = self.State.TOMBSTONE if self.answers.visible().exists() else self.State.REMOVED
        self.save()
        above = self.parent
        if self.state == self.State.REMOVED and above and above.state == self.State.TOMBSTONE:
            above._tombstone()

    def put_back(self):
        """Stand at its place, counted and told; above it stands again what held nothing."""
        above = self.parent
        if above and above.state in (self.State.WAITING, self.State.REJECTED):
            raise Refused(_("What this comment answers is not shown."))
        if self.state != self.State.TOMBSTONE:  # or it would take the place of the replies below it
            self.born = 0
        self.state, self.removed_by, self.reason = self.State.SHOWN, None, ""
        self.save()
        self.post.count_comments(+1)
        self.notify()
        while above and above.state == self.State.REMOVED:
            above.state, above.born = self.State.TOMBSTONE, 0
            above.save()
            above = above.parent

    def notify(self, before=""):
        """Notify those whom the comment concerns, from the moment it is shown; in the transaction of its cause.

        After an edit, ``before`` (str) is the text that was replaced.
        """
        notify_each(self.recipients(before), thread=self.post, source=self, by=self.author)

    def withdraw_notifications(self):
        """Take back what was told of it: it is shown no longer."""
        withdraw_notifications(self)

    def recipients(self, before=""):
        """Whom the comment concerns, and how (dict of kind to people); after an edit of ``before``, the newly named.

        However often it is edited, no more people are told than one text may name.
        """
        kind = Notification.Kind
        if before:
            return {kind.MENTION: newly_named(self, before)}
        answered = [self.parent.author] if self.parent and self.parent.author_id else []
        return {kind.MENTION: mentioned(self.body), kind.REPLY: answered, kind.COMMENT: [self.post.author]}

    def forget_text(self):
        super().forget_text()
        self.revisions.all().delete()

    def place(self, parent):
        """Put this comment below ``parent`` (Comment, or None for the top level)."""
        self.parent = parent
        self.root_id = parent and (parent.root_id or parent.pk)
        self.depth = parent.depth + 1 if parent else 0

    def save(self, **options):
        if not self.html:
            self.html = render_markdown(self.body)
        super().save(**options)

    def stamp(self, tick):
        """What goes before anybody saw it was never born: it earns its author no trust."""
        born = self.born
        super().stamp(tick)
        if self.state not in self.VISIBLE:
            self.born = born

    # Rules

    @staticmethod
    def readable(body):
        """``body`` (str) as it is kept: NFC, trimmed. Raises ``Refused`` if it is empty or too long."""
        body = normalize(body)
        if not body:
            raise Refused(_("Write something first."))
        if len(body) > settings.COMMENT_LENGTH:
            raise Refused(
                _("Comments can have at most %(most)s characters (yours has %(n)s)."),
                params={"most": settings.COMMENT_LENGTH, "n": len(body)},
            )
        return body

    def check_deletable(self):
        if timezone.now() - self.created_at > timedelta(seconds=settings.COMMENT_DELETE_WITHIN):
            raise Refused(_("The time to delete this comment has passed."))

    @staticmethod
    def check_can_comment(post, parent):
        """Whether one may write on ``post`` now, below ``parent``. Raises ``Refused`` if not."""
        if not type(post).objects.filter(pk=post.pk, comments_open=True).exists():
            raise Closed(_("Comments are closed."))
        if parent is None:
            return
        parent.refresh_from_db()
        if parent.is_waiting:
            raise Refused(_("That comment waits for review: nobody can answer it yet."))
        if not parent.is_shown:
            raise Refused(_("That comment was removed while you were writing."))
        if parent.depth >= settings.COMMENT_DEPTH:
            raise Refused(_("This thread is too deep. Reply higher up."))

    @staticmethod
    def find_duplicate(post, author, body, parent, key):
        """The comment that the same attempt, or the same words a moment ago, have made already, or None."""
        own = Comment.objects.filter(author=author)
        since = timezone.now() - timedelta(seconds=settings.COMMENT_TWICE_WITHIN)
        same_text = Q(post=post, parent=parent, body=body, created_at__gte=since)
        same_text &= Q(state__in=[Comment.State.SHOWN, Comment.State.WAITING])
        return (key and own.filter(key=key).first()) or own.filter(same_text).first()

    # Questions

    @property
    def thread(self):
        return self.post

    @property
    def earlier_texts(self):
        return self.revisions.all()

    @property
    def akismet_type(self):
        return "reply" if self.parent_id else "comment"

    @property
    def name(self):
        return str(self.author) if self.author_id else self.guest or _("Somebody")

    @property
    def cache_key(self):
        """All that its partial shows: two comments with the same cache key look the same."""
        answered = self.parent.name if self.is_flat else ""
        author = (self.author_id, self.author.username) if self.author_id else None
        return self.pk, self.state, self.html, self.reason, self.created_at, self.edited_at, self.name, author, answered

    @property
    def excerpt(self):
        """The text without its marks, for mails (str). Nothing of what is said below a text behind a password."""
        return unescape(strip_tags(self.html)) if self.is_shown and not self.post.password else ""

    @property
    def is_flat(self):
        """Whether it is too deep to be indented further, and must say whom it answers."""
        return self.depth > settings.COMMENT_INDENT

    @property
    def has_flat_replies(self):
        """Whether its replies are too deep to be indented further."""
        return self.depth >= settings.COMMENT_INDENT

    @property
    def is_shown(self):
        return self.state == self.State.SHOWN

    @property
    def is_told(self):
        return not self.is_waiting

    @property
    def is_as_born(self):
        """Whether every page that has it, has it so: what a decision was made about may be shown as it was before."""
        return super().is_as_born and self.is_shown and not self.is_decided

    @property
    def is_visible(self):
        return self.state in self.VISIBLE


class Revision(models.Model):
    """A comment's text before an edit; moderators may see it."""

    comment = models.ForeignKey(Comment, models.CASCADE, related_name="revisions")
    body = models.TextField(_("text"))
    replaced_at = models.DateTimeField(_("replaced"), default=timezone.now)

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("earlier version")
        verbose_name_plural = _("earlier versions")

    def __str__(self):
        return self.body[:60]
