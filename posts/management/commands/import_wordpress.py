import re
from collections import Counter
from functools import cache
from itertools import count
from urllib.parse import unquote

from allauth.account.utils import filter_users_by_email
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import DatabaseError, OperationalError, reset_queries, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.text import slugify

from live.ticks import tick
from people.models import Person
from posts import wordpress
from posts.models import Comment, Post, Tag

STATUSES = {"publish": Post.Status.PUBLISHED, "future": Post.Status.SCHEDULED}  # all others become drafts
UNAPPROVED = {"spam": "spam", "trash": "trashed", "post-trashed": "trashed"}
RAW_COMMENT = 10 * settings.COMMENT_LENGTH  # as much of a comment's HTML is looked at


class Skipped(ValueError):
    """Something is not imported; the message is the reason."""


class Command(BaseCommand):
    help = (
        "Imports a WordPress export (WXR): authors, tags and categories, posts, pages and approved comments. "
        "What was imported before is kept as it is and gets its new comments. Nobody is notified."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", metavar="FILE.xml")
        parser.add_argument("--dry-run", action="store_true", help="say what would become of each, change nothing")

    def handle(self, file, dry_run, **options):
        self.dry_run = dry_run
        self.tally = Counter()  # (what became of it, its kind) -> how many
        self.authors = {}  # login -> (username, wordpress.Author)
        self.logins = {}  # author's id -> login
        self.newest = Post.objects.aggregate(newest=Max("pk"))["newest"] or 0
        self.export = wordpress.Export(file)
        unreadable = None
        try:
            for part in self.export:
                self.take(part)
        except wordpress.Unreadable as error:
            unreadable = error
        self.sum_up()
        if unreadable:
            done = " What stands before that is done; run again with a whole file." if self.tally else ""
            raise CommandError(f"{unreadable}{done}")

    def take(self, part):
        """Import ``part`` in a transaction of its own, or skip it, and print what became of it."""
        reset_queries()  # which Django keeps in debug mode
        add = {wordpress.Author: self.add_author, wordpress.Term: self.add_tag, wordpress.Item: self.add_item}
        try:
            with transaction.atomic():
                became, *details = add[type(part)](part)
                if self.dry_run:
                    transaction.set_rollback(True)
        except OperationalError as error:
            raise CommandError(f"The database failed ({error}). Run again: the import goes on from here.") from error
        except (ValidationError, DatabaseError, ValueError, OverflowError) as error:
            became, details = "skipped", [f"{part}: {_reason(error)}"]
        self.tally[became, part.kind] += 1
        if details:
            self.stdout.write("  ".join(str(word) for word in [became, part.kind, *details] if word != ""))

    def sum_up(self):
        for became in ("added", "kept", "skipped"):
            parts = [
                f"{n} {kind}{'s' * (n != 1)}" for (outcome, kind), n in self.tally.items() if n and outcome == became
            ]
            self.stdout.write(f"{became.capitalize()}: {', '.join(parts) or 'nothing'}.")
        if self.dry_run:
            self.stdout.write("This was a dry run: nothing has been changed.")

    # Each returns what became of it, "added" or "kept", and what else its line says.

    def add_author(self, author):
        if not author.login:
            raise Skipped("without a login")
        if author.login in self.authors:
            raise Skipped("named twice")
        taken = {username for username, _ in self.authors.values()}
        names = (_username(author.login, f"-{n}" if n > 1 else "") for n in count(1))
        username = next(name for name in names if name not in taken)
        self.authors[author.login] = username, author
        if author.id:
            self.logins[author.id] = author.login
        person, new = self.person(author.login)
        note = "" if new else "the posts go to this account, which stays as it is"
        return "added" if new else "kept", author, person.get_absolute_url(), note

    def add_tag(self, term):
        _tag, new = self.tag(term)
        return ["added" if new else "kept"]

    def add_item(self, item):
        if item.kind not in ("post", "page"):
            raise Skipped("neither a post nor a page")
        if item.status == "trash":
            raise Skipped("in the trash")
        origin = self.origin(item)
        became, notes, now = "kept", [], None
        post = Post.objects.filter(origin=origin).first()
        if post and post.pk > self.newest:
            raise Skipped("another one in the file has its id")
        if post is None:
            became, post = "added", self.write(item, origin, notes)
            now = post.article_changed  # 0 unless it is public
        comments = self.add_comments(post, item, now)
        return became, item, post.get_absolute_url(), comments, "; ".join(notes)

    # What they are made of

    def origin(self, item):
        """What names ``item`` in every export of its blog (str). Guids need not be unique; ids are."""
        if item.id and self.export.site:
            return f"{self.export.site}?p={item.id}"
        if not item.guid:
            raise Skipped("without an id")
        return item.guid

    def person(self, login):
        """The person who has ``login`` (str) as a name, and whether they are new. Found, they are not changed."""
        username, author = self.authors.get(login) or (_username(login), None)
        if person := Person.objects.filter(username__iexact=username).first():
            return person, False
        person = Person(username=username, display_name=(author.name if author else login)[:60])
        person.email = _free_email(author.email) if author else ""
        person.set_unusable_password()
        person.full_clean()
        person.save()
        return person, True

    def tag(self, term):
        """The tag that ``term`` names, and whether it is new."""
        words = unquote(term.slug) or term.name
        if not words:
            raise Skipped("without a name")
        slug = _slug(words) or _slug(term.name) or "-".join(f"{ord(sign):x}" for sign in words)[:200]
        return Tag.objects.get_or_create(slug=slug, defaults={"name": (term.name or words)[:100]})

    def write(self, item, origin, notes):
        """A new post (saved), made of ``item``. What could not be taken as it was goes into ``notes`` (list)."""
        public = item.status in STATUSES
        date = item.date if public else item.date_gmt
        if public and not date:
            raise Skipped("none of its dates makes sense")
        if not public:
            notes.append("draft" if item.status == "draft" else f"{item.status or 'no status'}: now a draft")
        author, new = self.person(item.creator or "wordpress")
        if new and item.creator not in self.authors:
            notes.append(f"new author {author.username}")
        body, left_out = wordpress.body(item.content)
        if left_out:
            notes.append("left out: " + ", ".join(f"[{name}]" for name in sorted(set(left_out))))
        post = Post(
            title=_cut(item.title, "title", notes),
            slug=_free_slug(item, notes),
            author=author,
            summary=_cut(item.excerpt, "summary", notes),
            body=body,
            format=Post.Format.HTML,
            language=self.language,
            status=STATUSES.get(item.status, Post.Status.DRAFT),
            is_page=item.kind == "page",
            password=item.password,
            comments_open=item.comments_open,
            published_at=date,
            created_at=min(date or timezone.now(), timezone.now()),
            origin=origin,
        )
        post.full_clean()
        post.revise()
        post.tags.set({self.tag(term)[0] for term in item.terms if term.slug or term.name})
        if public and not post.is_public:
            notes.append(f"scheduled for {post.published_at:%Y-%m-%d %H:%M}")
        return post

    @property
    def language(self):
        """The language of the blog (str), if it is one of ours."""
        blogs = self.export.language
        offers = ["zh-hans" if blogs.startswith("zh") else blogs, blogs.partition("-")[0]]
        return next((offer for offer in offers if offer in dict(settings.LANGUAGES)), settings.LANGUAGE_CODE)

    def add_comments(self, post, item, now):
        """Add the comments of ``item`` that ``post`` lacks, at tick ``now`` (int; a new one if 0). → words (str)"""
        here = {comment.origin: comment for comment in post.comments.defer("body", "html")}
        person = cache(lambda login: self.person(login)[0])
        skipped, notes, added = Counter(), Counter(), 0
        for source in wordpress.threaded(_approved(item.comments, skipped)):
            if (origin := f"{post.origin}#comment-{source.id}") in here:
                continue
            text = wordpress.remark(source.content[:RAW_COMMENT])
            if not text:
                skipped["empty"] += 1
                continue
            now = now or tick(post)[0]
            comment = Comment(post=post, origin=origin, guest=source.author[:100])
            comment.author = person(self.logins[source.user_id]) if source.user_id in self.logins else None
            comment.body = text[: settings.COMMENT_LENGTH]
            comment.created_at = source.date or post.published_at or post.created_at
            comment.place(_above(source, here.get(f"{post.origin}#comment-{source.parent}"), notes))
            comment.stamp(now)
            comment.save()
            here[origin] = comment
            added += 1
            notes["cut"] += len(text) > settings.COMMENT_LENGTH
        if added:
            post.count_comments(added)
        self.tally["added", "comment"] += added
        self.tally.update({("skipped", f"{why} comment"): n for why, n in skipped.items()})
        return _said(added, skipped, notes)


def _approved(comments, skipped):
    """Those of ``comments`` (list) that may be shown; ``skipped`` (Counter) counts the others by reason."""
    approved = {}
    for source in comments:
        if source.kind not in ("", "comment"):
            skipped[source.kind] += 1
        elif source.approved != "1":
            skipped[UNAPPROVED.get(source.approved, "unapproved")] += 1
        elif not re.fullmatch("[0-9]{1,20}", source.id) or source.id in approved:
            skipped["unidentified"] += 1
        else:
            approved[source.id] = source
    return list(approved.values())


def _above(source, parent, notes):
    """Where the imported comment ``source`` may hang: ``parent`` (Comment or None), or the nearest possible place."""
    if source.parent not in ("", "0") and (parent is None or parent.state == Comment.State.REMOVED):
        notes["moved to the top: what it answers is missing"] += 1
        return None
    if parent and parent.depth >= settings.COMMENT_DEPTH:
        notes["moved up: too deep"] += 1
        while parent.depth >= settings.COMMENT_DEPTH:
            parent = parent.parent
    return parent


def _said(added, skipped, notes):
    details = [f"{skipped.total()} skipped: {_counted(skipped)}"] if skipped else []
    details += [_counted(notes)] if notes.total() else []
    words = f"{added} comment{'s' * (added != 1)}" if added or details else ""
    return f"{words} ({'; '.join(details)})" if details else words


def _counted(counter):
    return ", ".join(f"{n} {what}" for what, n in counter.items() if n)


def _username(login, end=""):
    """A valid username (str) as like ``login`` (str) as can be, with ``end`` (str)."""
    stem = re.sub(r"[^\w.-]+", "-", Person.normalize_username(login[:100]).lower()).strip("-._")
    name = (stem[: 30 - len(end)].rstrip("-._") or "author") + end
    return name if len(name) > 1 else f"author-{name}"


def _free_email(email):
    """``email`` (str) if it is valid and no account's, else an empty str."""
    try:
        validate_email(email)
    except ValidationError:
        return ""
    return "" if filter_users_by_email(email) else email


def _free_slug(item, notes):
    asked = unquote(item.slug)
    stem = slug = _slug(asked) or _slug(item.title) or item.kind
    if Post.objects.filter(slug=stem).exists():
        taken = set(Post.objects.filter(slug__startswith=stem[:190]).values_list("slug", flat=True))
        slug = next(slug for n in count(2) if (slug := f"{stem[:190]}-{n}") not in taken)
    if asked not in ("", slug):
        notes.append("address changed")
    return slug


def _slug(text):
    return slugify(text, allow_unicode=True)[:200]


def _cut(text, field, notes):
    most = Post._meta.get_field(field).max_length
    if len(text) > most:
        notes.append(f"{field} cut to {most} characters")
    return text[:most]


def _reason(error):
    if hasattr(error, "error_dict"):
        return "; ".join(f"{field}: {' '.join(messages)}" for field, messages in error.message_dict.items())
    return "; ".join(error.messages) if isinstance(error, ValidationError) else str(error)
