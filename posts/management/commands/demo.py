"""Fills an empty house with people and talk; ``posts/demo/`` holds what they say."""

import os
import secrets
import tomllib
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_duration
from django.utils.text import slugify

from moderation.models import Action
from people.models import Person
from posts.models import Comment, LiveUpdate, Post, Tag

DEMO = Path(__file__).resolve().parents[2] / "demo"
UNMISTAKABLE = "abcdefghjkmnpqrstuvwxyz23456789"


class Command(BaseCommand):
    help = "Fill an empty embedded database with demo accounts, posts and comments, and print the accounts."

    def add_arguments(self, parser):
        parser.add_argument("--if-empty", action="store_true", help="say and do nothing if the database holds anything")

    def handle(self, *, if_empty, **options):
        if "DATABASE_URL" in os.environ:
            raise CommandError("The demo is for the embedded database only, and DATABASE_URL names another one.")
        if Person.objects.exists() or Post.objects.exists():
            if if_empty:
                return
            raise CommandError("The demo needs an empty database, and this one holds people or posts already.")
        if names := public_names():
            why = (
                f"No demo accounts, as others can reach this site ({', '.join(names)}): one of them may do everything."
            )
            if if_empty:
                self.stdout.write(f"{why} Make your own: .venv/bin/python manage.py createsuperuser")
                return
            raise CommandError(why)
        with transaction.atomic():
            accounts = move_in()
            publish({person.username: person for person, _ in accounts})
        self.stdout.write("Demo accounts (their passwords are shown only here, and only now):\n\n")
        for person, password in accounts:
            self.stdout.write(f"  {person.username:<10} {password}   {person.bio.removeprefix('Demo account: ')}")


def public_names():
    """The names (sorted list of str) by which other machines reach this site, as ``docs/settings.md`` lets one say."""
    names = {os.environ.get("HOST", "127.0.0.1"), *settings.ALLOWED_HOSTS}
    names |= {urlsplit(origin).hostname for origin in settings.ORIGINS}
    return sorted(name for name in names if not is_this_machine(name))


def is_this_machine(name):
    try:
        return ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def move_in():
    """Make the accounts. → a list of (Person, password)"""
    accounts = []
    for entry in read(DEMO / "people.toml")["people"]:
        rights = entry.pop("rights", "")
        password = "-".join("".join(secrets.choice(UNMISTAKABLE) for _ in range(4)) for _ in range(3))
        long_ago = timezone.now() - timedelta(days=30)
        person = Person(**entry, is_staff=bool(rights), is_superuser=rights == "all", date_joined=long_ago)
        person.set_password(password)
        person.save()
        if person.is_staff and not person.is_superuser:
            person.groups.add(Group.objects.get(name=rights))
        accounts.append((person, password))
    return accounts


def publish(people):
    """Make the posts, and let ``people`` (dict of username to Person) talk: everything in the order of its time."""
    now = timezone.now()
    events = []
    for file in sorted((DEMO / "posts").glob("*.toml")):
        entry = read(file)
        thread = Thread(entry, people, now)
        events.append((when(entry, now), thread.write))
        events += [(when(update, now), thread.cover, update) for update in entry.get("updates", [])]
        events += [(when(comment, now), thread.comment, comment) for comment in entry.get("comments", [])]
        events += [(now, thread.remove, comment) for comment in entry.get("comments", []) if "removed" in comment]
    for at, happen, *what in sorted(events, key=lambda event: event[0]):
        happen(at, *what)


class Thread:
    """One post of the demo, as ``entry`` (dict) by its file, coming into being."""

    def __init__(self, entry, people, now):
        self.entry = entry
        self.people = people
        self.now = now
        self.comments = {}

    def write(self, at):
        entry = self.entry
        kept = {field: entry[field] for field in ("title", "slug", "summary", "body", "language")}
        self.post = post = Post(**kept, author=self.people[entry["author"]], coverage=entry.get("coverage", ""))
        post.created_at = min(at, self.now)
        if "cover" in entry:
            post.cover = ContentFile((DEMO / "covers" / entry["cover"]).read_bytes(), entry["cover"])
        if "ago" in entry:
            post.published_at = at
            post.publish()
        else:
            post.revise()
        for name in entry["tags"]:
            slug = slugify(name, allow_unicode=True)
            post.tags.add(Tag.objects.get_or_create(slug=slug, defaults={"name": name})[0])

    def cover(self, at, entry):
        update = LiveUpdate(post=self.post, author=self.people[entry["by"]], at=at, body=entry["text"].strip())
        update.title = entry.get("title", "")
        update.pinned = entry.get("pinned", False)
        update.struck = entry.get("struck", False)
        update.revise()

    def comment(self, at, entry):
        author, parent = self.people[entry["by"]], self.comments.get(entry.get("to"))
        if entry.get("waits"):
            comment = Comment(post=self.post, author=author, body=Comment.readable(entry["text"]))
            comment.place(parent)
            comment.hold_for_review(Action(kind=Action.Kind.LINKS, created_at=at))
        else:
            comment = self.post.comment(author, entry["text"], parent)
        dates = {"created_at": at}
        if "revised" in entry:
            comment.revise(author, entry["revised"])
            comment.revisions.update(replaced_at=at + timedelta(minutes=4))
            dates["edited_at"] = at + timedelta(minutes=4)
        if "reported" in entry:
            comment.report(self.people[entry["reported"]["by"]], entry["reported"]["reason"])
            comment.reports.update(created_at=at + timedelta(minutes=1))
        Comment.objects.filter(pk=comment.pk).update(**dates)
        if "name" in entry:
            self.comments[entry["name"]] = comment

    def remove(self, at, entry):
        comment = self.comments[entry["name"]]
        comment.remove(self.people["moderator"], entry["removed"])


def read(file):
    with file.open("rb") as opened:
        return tomllib.load(opened)


def when(entry, now):
    """The moment (datetime) that the ``ago`` of ``entry`` (dict) stands for; ``now`` if it has none."""
    return now - parse_duration(entry.get("ago", "0"))
