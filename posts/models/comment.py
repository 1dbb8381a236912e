from datetime import timedelta
from html import unescape

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.translation import gettext_lazy as _

from live.models import Item
from live.ticks import tick
from people.markdown import talk
from people.rules import Closed, Refused, tidy


class CommentQuerySet(models.QuerySet):
    def standing(self):
        """The comments that pages show: those that are readable, and the tombstones that hold replies."""
        return self.exclude(state=Comment.State.GONE)

    def drawn(self):
        """With what the partial reads of other rows."""
        return self.select_related("author", "parent__author")


class Comment(Item):
    """What somebody said about a post, perhaps in answer to ``parent``; ``root`` is its top-level ancestor.

    Removed, it is a tombstone as long as a reply stands below it, and gone after that.
    """

    class State(models.TextChoices):
        SHOWN = "shown", _("Shown")
        TOMBSTONE = "tombstone", _("Removed, with replies")
        GONE = "gone", _("Removed")

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
    removed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("removed by")
    )
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    key = models.UUIDField(null=True, editable=False)
    created_at = models.DateTimeField(_("written"), default=timezone.now)
    edited_at = models.DateTimeField(_("edited"), null=True)
    origin = models.CharField(max_length=300, null=True, unique=True, editable=False)

    replies = ()  # those that a page shows below; set by whoever loads a thread
    more_replies = 0

    objects = CommentQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["post", "changed"]),
            models.Index(fields=["post", "parent", "-id"]),
        ]
        constraints = [models.UniqueConstraint(fields=["author", "key"], name="one_comment_per_attempt")]
        permissions = [("moderate_comment", _("Can remove everybody's comments"))]
        verbose_name = _("comment")
        verbose_name_plural = _("comments")

    def __str__(self):
        return self.body[:60]

    def get_absolute_url(self):
        return reverse("comment", args=[self.pk])

    # Verbs

    def revise(self, by, body):
        """Let ``by`` put ``body`` (str) in the place of the text. Raises ``Refused``, ``PermissionDenied``."""
        body = self.readable(body)
        with transaction.atomic():
            [now] = tick(self.post)
            self.refresh_from_db()
            if by.pk != self.author_id:
                raise PermissionDenied
            if self.state != self.State.SHOWN:
                raise Refused(_("That comment was removed."))
            age = timezone.now() - self.created_at
            if age > timedelta(seconds=settings.COMMENT_EDIT_WITHIN):
                raise Refused(_("The time to edit this comment has passed."))
            if body == self.body:
                return
            Revision.objects.create(comment=self, body=self.body)
            self.body = body
            self.html = talk(body)
            if age > timedelta(seconds=settings.COMMENT_EDIT_SILENT):
                self.edited_at = timezone.now()
            self.stamp(now)
            self.save()
            self.tell()

    def remove(self, by, reason=""):
        """Take the comment off the pages, as its author or as a moderator (with a ``reason``, str).

        Removing it again changes nothing. Raises ``Refused``, ``PermissionDenied``.
        """
        with transaction.atomic():
            [now] = tick(self.post)
            self.refresh_from_db()
            own = by.pk == self.author_id
            if not own and not by.has_perm("posts.moderate_comment"):
                raise PermissionDenied
            if self.state != self.State.SHOWN:
                return
            if own and timezone.now() - self.created_at > timedelta(seconds=settings.COMMENT_DELETE_WITHIN):
                raise Refused(_("The time to delete this comment has passed."))
            if not own and not reason.strip():
                raise Refused(_("Say why you remove this comment."))
            self.removed_by, self.reason = by, reason.strip()
            self.post.count_comments(-1)
            self.untell()
            self._fall(now)

    def erase(self):
        """Take the comment off the pages with all that was ever said in it, for its author leaves."""
        with transaction.atomic():
            [now] = tick(self.post)
            self.refresh_from_db()
            self.revisions.all().delete()
            self.body = self.html = ""
            if self.state == self.State.SHOWN:
                self.post.count_comments(-1)
                self.untell()
                self._fall(now)
            else:
                self.save()

    def _fall(self, now):
        """Become a tombstone, or be gone, and with it the tombstones above that held nothing else."""
        self.state = self.State.TOMBSTONE if self.answers.standing().exists() else self.State.GONE
        self.stamp(now)
        self.save()
        above = self.parent
        if self.state == self.State.GONE and above and above.state == self.State.TOMBSTONE:
            above._fall(now)

    def tell(self):
        """Notify those whom the comment concerns, from the moment it is shown; in the transaction of its cause."""

    def untell(self):
        """Take back what was told of it: it is shown no longer."""

    def place(self, parent):
        """Put this comment below ``parent`` (Comment, or None for the top level)."""
        self.parent = parent
        self.root_id = parent and (parent.root_id or parent.pk)
        self.depth = parent.depth + 1 if parent else 0

    def save(self, **options):
        if not self.html:
            self.html = talk(self.body)
        super().save(**options)

    # Rules

    @staticmethod
    def readable(body):
        """``body`` (str) as it is kept: NFC, trimmed. Raises ``Refused`` if it is empty or too long."""
        body = tidy(body)
        if not body:
            raise Refused(_("Write something first."))
        if len(body) > settings.COMMENT_LENGTH:
            raise Refused(
                _("Comments can have at most %(most)s characters (yours has %(n)s)."),
                params={"most": settings.COMMENT_LENGTH, "n": len(body)},
            )
        return body

    @staticmethod
    def vet(post, parent):
        """Whether one may write on ``post`` now, below ``parent``. Raises ``Refused`` if not."""
        if not type(post).objects.filter(pk=post.pk, comments_open=True).exists():
            raise Closed(_("Comments are closed."))
        if parent is None:
            return
        parent.refresh_from_db()
        if parent.state != Comment.State.SHOWN:
            raise Refused(_("That comment was removed while you were writing."))
        if parent.depth >= settings.COMMENT_DEPTH:
            raise Refused(_("This thread is too deep. Reply higher up."))

    @staticmethod
    def twin(post, author, body, parent, key):
        """The comment that the same attempt, or the same words a moment ago, have made already, or None."""
        mine = Comment.objects.filter(author=author)
        since = timezone.now() - timedelta(seconds=settings.COMMENT_TWICE_WITHIN)
        said = Q(post=post, parent=parent, body=body, state=Comment.State.SHOWN, created_at__gte=since)
        return (key and mine.filter(key=key).first()) or mine.filter(said).first()

    # Questions

    @property
    def name(self):
        return str(self.author) if self.author_id else self.guest or _("Somebody")

    @property
    def excerpt(self):
        """The text without its marks, for mails (str). Nothing of what is said below a text behind a password."""
        return unescape(strip_tags(self.html)) if self.is_shown and not self.post.password else ""

    @property
    def is_flat(self):
        """Whether it is too deep to be indented further, and must say whom it answers."""
        return self.depth > settings.COMMENT_INDENT

    @property
    def is_shown(self):
        return self.state == self.State.SHOWN


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
