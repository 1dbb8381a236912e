import re

from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.html import strip_tags
from django.utils.text import Truncator, slugify
from django.utils.translation import gettext_lazy as _

import live
from inbox.models import FanOut
from moderation.models import QUEUE
from moderation.review import review
from people.addresses import FormerAddress
from people.markdown import render_markdown
from people.rates import TooFast, check_rate, consume
from people.rules import Refused, normalize
from posts import markdown
from posts.models.comment import Comment

LONGEST = 200_000  # characters of an article: in every script they pass DATA_UPLOAD_MAX_MEMORY_SIZE
WORDS_A_MINUTE = 230  # Brysbaert 2019, doi:10.1016/j.jml.2019.104047, rounded down
HAN_A_MINUTE = 400
HAN = re.compile("[\u3400-\u9fff\U00020000-\U000323af]")


class FrontPage:
    """The one front page, as something that can be watched."""

    pk = 1

    def get_absolute_url(self):
        return reverse("front")


FRONT = FrontPage()


class Tag(models.Model):
    name = models.CharField(_("name"), max_length=100)
    slug = models.SlugField(_("address"), max_length=200, unique=True, allow_unicode=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("tag")
        verbose_name_plural = _("tags")

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("tag", args=[self.slug])


class PostQuerySet(models.QuerySet):
    def public(self):
        """The posts that anybody may read now; a scheduled one from the moment its time comes."""
        due = models.Q(status=Post.Status.SCHEDULED, published_at__lte=timezone.now())
        return self.filter(models.Q(status=Post.Status.PUBLISHED) | due)

    def listed(self):
        """The public posts of the front page and its like, newest first, with what a card shows."""
        posts = self.public().filter(is_page=False).select_related("author").prefetch_related("tags")
        return posts.order_by("-published_at", "-pk")

    def speakers(self, among):
        """Those of ``among`` (QuerySet of people) who take part here: they are offered first, to be named."""
        talking = self.comments.filter(state=Comment.State.SHOWN).values("author")
        return among.filter(models.Q(pk=self.author_id) | models.Q(pk__in=talking))

    def editable_by(self, person):
        """The posts that ``person`` may edit: an editor all, an author their own."""
        return self if person.has_perm("posts.edit_any_post") else self.filter(author=person)


class Post(live.Item):
    """An article, or the live coverage of something. As an ``Item`` it is a card of the front page.

    ``article_changed`` is the tick of the post's own stream at which the article last changed.
    """

    shown_in = FRONT

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SCHEDULED = "scheduled", _("Scheduled")
        PUBLISHED = "published", _("Published")
        UNPUBLISHED = "unpublished", _("Unpublished")

    class Coverage(models.TextChoices):
        NONE = "", _("No live coverage")
        LIVE = "live", _("Live")
        ENDED = "ended", _("Ended")

    class Format(models.TextChoices):
        MARKDOWN = "markdown", _("Markdown")
        HTML = "html", _("HTML")

    title = models.CharField(_("title"), max_length=300, blank=True)
    slug = models.SlugField(_("address"), max_length=200, unique=True, blank=True, allow_unicode=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("author"), related_name="posts")
    summary = models.TextField(_("summary"), max_length=1000, blank=True)
    body = models.TextField(_("text"), blank=True, validators=[MaxLengthValidator(LONGEST)])
    format = models.CharField(_("format"), max_length=10, choices=Format, default=Format.MARKDOWN)
    html = models.TextField(editable=False)
    cover = models.ImageField(_("cover"), upload_to="covers/%Y/", blank=True)
    tags = models.ManyToManyField(Tag, verbose_name=_("tags"), blank=True, related_name="posts")
    language = models.CharField(
        _("language"), max_length=10, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE
    )
    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.DRAFT)
    coverage = models.CharField(_("live coverage"), max_length=6, choices=Coverage, blank=True, default="")
    is_page = models.BooleanField(_("page"), default=False, help_text=_("A page stands by itself: it is in no list."))
    password = models.CharField(
        _("password"), max_length=100, blank=True, help_text=_("Asked of visitors before they may read.")
    )
    comments_open = models.BooleanField(_("comments are open"), default=True)
    comment_count = models.PositiveIntegerField(_("comments"), default=0, editable=False)
    published_at = models.DateTimeField(_("published"), null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    revised_at = models.DateTimeField(null=True, editable=False)
    article_changed = models.BigIntegerField(default=0, editable=False)
    origin = models.CharField(max_length=300, null=True, unique=True, editable=False)

    objects = PostQuerySet.as_manager()

    class Meta:
        ordering = ["-published_at", "-pk"]
        indexes = [
            models.Index(fields=["status", "is_page", "-published_at"]),
            models.Index(fields=["changed"]),
        ]
        permissions = [("edit_any_post", _("Can edit everybody's posts"))]
        verbose_name = _("post")
        verbose_name_plural = _("posts")

    WRITTEN = ["title", "slug", "author", "summary", "body", "format", "html", "cover", "language", "status"]
    WRITTEN += ["coverage", "is_page", "password", "comments_open", "published_at", "revised_at"]
    WRITTEN += ["born", "changed", "article_changed"]

    def __str__(self):
        return self.title or str(_("Untitled"))

    def get_absolute_url(self):
        return reverse("post", args=[self.slug])

    # Verbs

    def publish(self):
        self.status = self.Status.PUBLISHED
        self.revise()

    def unpublish(self):
        self.status = self.Status.UNPUBLISHED
        self.revise()

    def end_coverage(self):
        self.coverage = self.Coverage.ENDED
        self.revise()

    def open_comments(self):
        self.comments_open = True
        self.revise()

    def close_comments(self):
        self.comments_open = False
        self.revise()

    def revise(self):
        """Save the post as edited, and tell every page that shows it, showed it, or shall show it."""
        with transaction.atomic():
            before = Post.objects.filter(pk=self.pk).first()
            self._complete()
            if before is None:
                self.save()
            elif before.is_public and (before.title, before.html) != (self.title, self.html):
                self.revised_at = timezone.now()
            if self.is_public or (before and before.is_public):
                with live.change(FRONT, self) as now:
                    self.article_changed = now.at(self)
                    self.save(update_fields=self.WRITTEN)
            else:
                self.save(update_fields=self.WRITTEN)
            FormerAddress.note(self, before and before.slug, self.slug)
            self._notify_followers(before)

    def _notify_followers(self, before):
        """Let the author's followers know when the post is published, and forget it when it is withdrawn.

        ``before`` (Post or None) is what it was. An import is no news.
        """
        was, is_now = (post is not None and post.status == self.Status.PUBLISHED for post in (before, self))
        if is_now and not was and not self.is_page and not (before is None and self.origin):
            FanOut.notify(self, self.author)
        elif was and not is_now:
            FanOut.withdraw(self)

    def comment(self, author, body, parent=None, key=None, client_info=None):
        """Let ``author`` say ``body`` (str), in answer to ``parent`` (Comment) if given. → the comment.

        ``key`` (UUID) names the attempt: the same attempt made again yields the stored comment, and so
        does the same text said twice within ``COMMENT_TWICE_WITHIN`` seconds. Raises ``Refused``.

        What came by a ``client_info`` (ClientInfo) is limited in its rate and may have to wait for review; without one
        it is the house's own doing.
        """
        body = Comment.readable(body)
        try:
            if client_info:
                if duplicate := Comment.find_duplicate(self, author, body, parent, key):
                    return duplicate
                Comment.check_can_comment(self, parent)
                check_rate("comment", author, client_info.address)
            comment = Comment(post=self, author=author, body=body, html=render_markdown(body), key=key)
            comment.place(parent)
            action = client_info and review(comment, client_info)
            return self._comment(comment, action, client_info)
        except TooFast:  # the same attempt, made twice at once?
            if duplicate := Comment.find_duplicate(self, author, body, parent, key):
                return duplicate
            raise

    def _comment(self, comment, action, client_info):
        """Keep ``comment``, shown at once unless there is a ``action``. → it, or the one that was kept before it"""
        with live.change() as now:
            if client_info:
                consume("comment", comment.author, client_info.address)
            now.lock(QUEUE if action else self)  # what we look at below stays so
            if duplicate := Comment.find_duplicate(self, comment.author, comment.body, comment.parent, comment.key):
                now.undo()
                return duplicate
            Comment.check_can_comment(self, comment.parent)
            if action:
                return comment.hold_for_review(action)
            comment.save()
            self.count_comments(+1)
            comment.notify()
        return comment

    def unlock(self, session, password, person, address):
        """Let who gives the ``password`` (str) read in this ``session``: ``person`` (or AnonymousUser) at ``address``.

        Raises ``Refused`` for a wrong one, and ``TooFast`` after too many wrong ones.
        """
        with transaction.atomic():
            consume("unlock", person, address, _("Too many wrong passwords. Try again in %(n)s s."))
            is_right = bool(self.password) and constant_time_compare(password, self.password)
            transaction.set_rollback(is_right)  # a right one does not count
        if not is_right:
            raise Refused(_("That is not the password."))
        session["unlocked_posts"] = session.get("unlocked_posts", {}) | {str(self.pk): self.lock}

    def count_comments(self, more):
        """Keep the number of comments; in the transaction that changes it, with the stream locked."""
        Post.objects.filter(pk=self.pk).update(comment_count=models.F("comment_count") + more)
        self.comment_count += more

    def delete(self, *arguments, **options):
        """Its open pages are told that it is gone."""
        with live.change(self):
            return super().delete(*arguments, **options)

    # Questions

    @property
    def is_public(self):
        due = self.status == self.Status.SCHEDULED and self.published_at <= timezone.now()
        return self.status == self.Status.PUBLISHED or due

    def is_known_to(self, person):
        """Whether ``person`` may know that there is this post, and its title."""
        return self.is_public or self.editable_by(person)

    def readable_by(self, person):
        """Whether ``person`` may read without being asked for a password."""
        return (self.is_public and not self.password) or self.editable_by(person)

    def speakers(self, among):
        """Those of ``among`` (QuerySet of people) who take part here: they are offered first, to be named."""
        talking = self.comments.filter(state=Comment.State.SHOWN).values("author")
        return among.filter(models.Q(pk=self.author_id) | models.Q(pk__in=talking))

    def editable_by(self, person):
        return (
            person.is_active
            and person.is_staff
            and (
                person.has_perm("posts.edit_any_post")
                or (person.pk == self.author_id and person.has_perm("posts.change_post"))
            )
        )

    def is_unlocked(self, session):
        """Whether the present password, if the post has one, was given in ``session``."""
        lock = session.get("unlocked_posts", {}).get(str(self.pk), "")
        return not self.password or constant_time_compare(lock, self.lock)

    @property
    def lock(self):
        """What a session remembers of the password (str), and that is another one when the password is."""
        return salted_hmac("posts.lock", f"{self.pk} {self.password}", algorithm="sha256").hexdigest()

    @property
    def data_key(self):
        """Where a card stands among the cards: by the time of publication, in microseconds."""
        return f"{int(self.published_at.timestamp() * 1e6)}{self.pk:010d}"

    @property
    def excerpt(self):
        """The summary, or how the text begins. Nothing of a text behind a password."""
        if self.password:
            return ""
        return self.summary or Truncator(" ".join(strip_tags(self.html[:4000]).split())).chars(220)

    @property
    def reading_minutes(self):
        """How long reading takes (int, minutes, at least 1): words and Han characters at their usual speeds."""
        text = strip_tags(self.html)
        han = len(HAN.findall(text))
        words = len(HAN.sub(" ", text).split())
        return max(1, round(words / WORDS_A_MINUTE + han / HAN_A_MINUTE))

    def _complete(self):
        """Fill in what follows from the rest."""
        self.title = normalize(self.title)
        self.slug = self.slug or self._free_slug()
        self.html = (markdown.article if self.format == self.Format.MARKDOWN else markdown.article_html)(self.body)
        if self.status in (self.Status.PUBLISHED, self.Status.SCHEDULED):
            self.published_at = self.published_at or timezone.now()
        if self.status == self.Status.SCHEDULED and self.published_at <= timezone.now():
            self.status = self.Status.PUBLISHED
        if self.status == self.Status.PUBLISHED and self.published_at > timezone.now():
            self.status = self.Status.SCHEDULED

    def _free_slug(self):
        stem = slugify(self.title, allow_unicode=True)[:190] or "post"
        taken = set(Post.objects.filter(slug__startswith=stem).exclude(pk=self.pk).values_list("slug", flat=True))
        taken |= set(FormerAddress.of(Post).filter(address__startswith=stem).values_list("address", flat=True))
        return next(slug for n in range(1, len(taken) + 2) if (slug := f"{stem}-{n}" if n > 1 else stem) not in taken)


def publish_due():
    """Publish the scheduled posts whose time has come. Several processes may try: one does each."""
    due = models.Q(status=Post.Status.SCHEDULED, published_at__lte=timezone.now())
    for pk in Post.objects.filter(due).values_list("pk", flat=True):
        with transaction.atomic():
            if post := Post.objects.select_for_update().filter(due, pk=pk).first():
                post.publish()
