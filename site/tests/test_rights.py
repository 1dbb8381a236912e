"""Who gets where, and who learns what: every address and stream, asked by everybody. A new one without a row fails."""

import time
from datetime import timedelta
from io import BytesIO
from types import SimpleNamespace
from urllib.parse import unquote
from uuid import UUID
from zipfile import ZipFile, is_zipfile
from zlib import crc32

import pytest
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, Group
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver, resolve
from django.utils import timezone

from inbox.models import ANNOUNCEMENTS, Announcement, Mute, Notification
from inbox.models.notification import notify
from live.cache import html_cache
from live.cursors import Cursor
from live.streams import kinds, name_of
from moderation.models import QUEUE
from people.models import DISPLAY_NAMES, Person
from posts.models import FRONT, Comment, LiveUpdate, Post
from rooms.models import OPEN_ROOMS, MyRooms, Room

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
CAST = ["anonymous", "banned", "owner", "other", "author", "moderator", "editor", "admin"]


@pytest.fixture
def world():
    """The cast, and one of each thing: what is ``owner``'s is not ``other``'s, nor ``author``'s ``editor``'s."""
    made = SimpleNamespace(anonymous=AnonymousUser())
    groups = {"author": "Authors", "moderator": "Moderators", "editor": "Editors"}
    for name in CAST[1:]:
        person = Person.objects.create_user(name, f"{name}@example.org", date_joined=timezone.now() - timedelta(30))
        if name in groups:
            person.groups.add(Group.objects.get(name=groups[name]))
        person.is_staff = name in groups or name == "admin"
        person.is_superuser = name == "admin"
        person.save()
        setattr(made, name, person)
    made.post = Post(author=made.author, title="Open", slug="open", body="x")
    made.post.publish()
    made.draft = Post(author=made.author, title="Draft", slug="draft", body="x")
    made.draft.revise()
    made.update = LiveUpdate(post=made.post, author=made.author, body="x")
    made.update.revise()
    made.comment = made.post.comment(made.owner, "x")
    made.answer = made.post.comment(made.other, "y", made.comment)
    made.notification = made.owner.notifications.get()
    made.announcement = Announcement(body="x", ends=timezone.now() + timedelta(1), by=made.editor)
    made.announcement.announce()
    made.lobby, made.den = Room(name="lobby"), Room(name="den", kind=Room.Kind.MEMBERS)
    made.lobby.revise()
    made.den.revise()
    made.den.admit(made.owner)
    made.line = made.lobby.say(made.owner, "x")
    made.secret = made.den.say(made.owner, "x")
    made.private = Room.write(made.owner, [made.author], "x")
    made.session = UserSession.objects.create(user=made.owner, session_key="x", ip="127.0.0.1")
    made.banned.ban(made.admin, "why-banned")
    add_secrets(made)
    things = {name: thing.pk for name, thing in vars(made).items() if getattr(thing, "pk", None)}
    made.keys = things | {"talk": made.private.room_id}
    return made


def add_secrets(made):
    """To each thing that only some may read, or may read no longer, the word of ``SECRETS`` that stands in it."""
    made.draft.title, made.draft.body = "draft-title", "draft-text"
    made.draft.revise()
    made.locked = Post(author=made.author, title="Locked", slug="locked", body="locked-text", summary="locked-summary")
    made.locked.password = "locked-password"
    made.locked.publish()
    LiveUpdate(post=made.locked, author=made.author, body="locked-update").revise()
    made.withdrawn = Post(author=made.author, title="Was open", slug="was-open", body="x")
    made.withdrawn.publish()
    for name in ("locked", "withdrawn"):
        own = getattr(made, name).comment(made.owner, "Mine.", key=UUID(int=len(name)))
        setattr(made, f"{name}_own", own)
        setattr(made, f"{name}_comment", getattr(made, name).comment(made.other, f"{name}-comment", own))
    Mute.make(made.owner, made.withdrawn)
    with transaction.atomic():
        notify(Notification.Kind.POST, [made.owner], thread=made.post, source=made.withdrawn, by=made.author)
        notify(Notification.Kind.MENTION, [made.other], thread=made.withdrawn, source=made.withdrawn, by=made.author)
    made.withdrawn.title, made.withdrawn.slug = "withdrawn-title", "withdrawn-slug"
    made.withdrawn.body = "withdrawn-text"
    made.withdrawn.unpublish()
    for n, state in enumerate(["waiting", "rejected", "removed", "tombstone", "edited"], start=100):
        setattr(made, state, made.post.comment(made.other, f"{state}-text", key=UUID(int=n)))
    Comment.objects.filter(pk__in=[made.waiting.pk, made.rejected.pk]).update(state=Comment.State.WAITING)
    made.rejected.reject(made.moderator, "rejected-reason")
    made.post.comment(made.owner, "An answer.", made.tombstone)
    made.tombstone.remove(made.moderator, "for all to read")
    made.removed.remove(made.moderator, "removed-reason")
    made.edited.revisions.create(body="earlier-text")
    made.answer.report(made.author, "what-was-reported")
    made.left = Room(name="left-room-name", slug="left-room-slug", topic="left-room-topic", kind=Room.Kind.MEMBERS)
    made.left.revise()
    for person in (made.owner, made.author):
        made.left.admit(person)
    made.left_line = made.left.say(made.author, "left-room-line")
    made.left_own = made.left.say(made.owner, "Mine.")
    made.trio_line = Room.write(made.author, [made.owner, made.other], "left-line")
    made.trio = made.trio_line.room
    for room in (made.left, made.trio):
        room.memberships.get(person=made.owner).leave()
    made.duo_line = Room.write(made.author, [made.owner], "private-line")
    made.duo = made.duo_line.room
    made.reported_line = Room.write(made.author, [made.owner], "reported-line")
    made.reported_line.report(made.owner, "private-report")
    made.future = Announcement(body="future-announcement", by=made.editor)
    made.future.starts, made.future.ends = timezone.now() + timedelta(2), timezone.now() + timedelta(3)
    made.future.announce()


# An address, and what GET, POST, and POST without a token (an old form, or one that is not ours) answer to each of the
# cast, in its order: 0, 2, 3, 4 for 204, 200, 302, 404; F for
# 403 (not allowed, and no secret that it is there); N for 405 (no such method); U for 422 (allowed, but nothing was
# said). "3" for those who are not signed in leads to the sign-in, whatever the address.
ANSWERS = {"0": 204, "2": 200, "3": 302, "4": 404, "F": 403, "N": 405, "U": 422}
ROWS = [
    ("/", "22222222", "NNNNNNNN", "FFFFFFFF"),
    ("/posts/open/", "22222222", "NNNNNNNN", "FFFFFFFF"),
    ("/posts/draft/", "44442422", "NNNNNNNN", "FFFFFFFF"),
    ("/posts/open/unlock/", "NNNNNNNN", "UUUUUUUU", "FFFFFFFF"),
    ("/posts/draft/unlock/", "NNNNNNNN", "4444U4UU", "FFFFFFFF"),
    ("/posts/open/mute/", "33NNNNNN", "33333333", "FFFFFFFF"),
    ("/posts/draft/mute/", "33NNNNNN", "33443433", "FFFFFFFF"),
    ("/posts/open/comments/", "22222222", "FFUUUUUU", "FFFFFFFF"),
    ("/posts/draft/comments/", "44442422", "4444U4UU", "4444F4FF"),
    ("/posts/locked/", "22222222", "NNNNNNNN", "FFFFFFFF"),
    ("/posts/locked/unlock/", "NNNNNNNN", "UUUUUUUU", "FFFFFFFF"),
    ("/posts/locked/mute/", "33NNNNNN", "33FF3F33", "FFFFFFFF"),
    ("/posts/locked/comments/", "22222222", "FFFFUFUU", "FFFFFFFF"),
    ("/posts/withdrawn-slug/", "44442422", "NNNNNNNN", "FFFFFFFF"),
    ("/posts/withdrawn-slug/comments/", "44442422", "4444U4UU", "4444F4FF"),
    ("/tags/none/", "44444444", "NNNNNNNN", "FFFFFFFF"),
    ("/people/owner/", "22222222", "NNNNNNNN", "FFFFFFFF"),
    ("/people/banned/", "44444444", "NNNNNNNN", "FFFFFFFF"),
    ("/comments/{comment}/", "22222222", "NNNNNNNN", "FFFFFFFF"),
    ("/comments/{comment}/reply/", "33222222", "33NNNNNN", "FFFFFFFF"),
    ("/comments/{comment}/replies/", "22222222", "NNNNNNNN", "FFFFFFFF"),
    ("/comments/{comment}/edit/", "33244444", "33U44444", "FFF44444"),
    ("/comments/{comment}/delete/", "33244444", "33344444", "FFF44444"),
    ("/comments/{comment}/report/", "33222222", "33UUUUUU", "FFFFFFFF"),
    ("/comments/{comment}/menu/", "33444242", "33NNNNNN", "FFFFFFFF"),
    ("/comments/{comment}/approve/", "33NNNNNN", "33444343", "FF444F4F"),
    ("/comments/{comment}/reject/", "33NNNNNN", "33444U4U", "FF444F4F"),
    ("/comments/{comment}/remove/", "33NNNNNN", "33444U4U", "FF444F4F"),
    ("/comments/{comment}/restore/", "33NNNNNN", "33444343", "FF444F4F"),
    ("/comments/{comment}/keep/", "33NNNNNN", "33444343", "FF444F4F"),
    ("/comments/{comment}/ban/", "33NNNNNN", "33444U4U", "FF444F4F"),
    ("/comments/{locked_comment}/", "22222222", "NNNNNNNN", "FFFFFFFF"),
    ("/comments/{locked_comment}/reply/", "33222222", "33NNNNNN", "FFFFFFFF"),
    ("/comments/{locked_comment}/edit/", "33224244", "33FF4F44", "FFFF4F44"),
    ("/comments/{locked_comment}/delete/", "33224244", "33FF4F44", "FFFF4F44"),
    ("/comments/{locked_comment}/report/", "33222222", "33FFUFUU", "FFFFFFFF"),
    ("/comments/{locked_comment}/menu/", "33444242", "33NNNNNN", "FFFFFFFF"),
    ("/comments/{withdrawn_comment}/", "44442422", "NNNNNNNN", "FFFFFFFF"),
    ("/comments/{withdrawn_comment}/reply/", "33442422", "33NNNNNN", "FFFFFFFF"),
    ("/comments/{withdrawn_comment}/edit/", "33444444", "33444444", "FF444444"),
    ("/comments/{withdrawn_comment}/delete/", "33444444", "33444444", "FF444444"),
    ("/comments/{withdrawn_comment}/report/", "33442422", "3344U4UU", "FF44F4FF"),
    ("/comments/{withdrawn_comment}/menu/", "33444442", "33NNNNNN", "FFFFFFFF"),
    ("/comments/{waiting}/", "44424242", "NNNNNNNN", "FFFFFFFF"),
    ("/comments/{waiting}/reply/", "33424242", "33NNNNNN", "FFFFFFFF"),
    ("/comments/{waiting}/edit/", "33424444", "334U4444", "FF4F4444"),
    ("/comments/{waiting}/delete/", "33424444", "33434444", "FF4F4444"),
    ("/comments/{waiting}/report/", "33424242", "334U4U4U", "FF4F4F4F"),
    ("/comments/{waiting}/menu/", "33444242", "33NNNNNN", "FFFFFFFF"),
    ("/comments/{rejected}/", "44444444", "NNNNNNNN", "FFFFFFFF"),
    ("/comments/{rejected}/reply/", "33444444", "33NNNNNN", "FFFFFFFF"),
    ("/comments/{rejected}/edit/", "33444444", "33444444", "FF444444"),
    ("/comments/{rejected}/delete/", "33444444", "33444444", "FF444444"),
    ("/comments/{rejected}/report/", "33444444", "33444444", "FF444444"),
    ("/comments/{rejected}/menu/", "33444242", "33NNNNNN", "FFFFFFFF"),
    ("/comments/{removed}/", "44444444", "NNNNNNNN", "FFFFFFFF"),
    ("/comments/{removed}/reply/", "33444444", "33NNNNNN", "FFFFFFFF"),
    ("/comments/{removed}/edit/", "33444444", "33444444", "FF444444"),
    ("/comments/{removed}/delete/", "33444444", "33444444", "FF444444"),
    ("/comments/{removed}/report/", "33444444", "33444444", "FF444444"),
    ("/comments/{removed}/menu/", "33444242", "33NNNNNN", "FFFFFFFF"),
    ("/comments/{tombstone}/", "22222222", "NNNNNNNN", "FFFFFFFF"),
    ("/comments/{tombstone}/reply/", "33222222", "33NNNNNN", "FFFFFFFF"),
    ("/comments/{tombstone}/edit/", "33424444", "334U4444", "FF4F4444"),
    ("/comments/{tombstone}/delete/", "33424444", "33434444", "FF4F4444"),
    ("/comments/{tombstone}/report/", "33222222", "33UUUUUU", "FFFFFFFF"),
    ("/comments/{tombstone}/menu/", "33444242", "33NNNNNN", "FFFFFFFF"),
    ("/inbox/", "33222222", "33NNNNNN", "FFFFFFFF"),
    ("/inbox/title/", "22222222", "NNNNNNNN", "FFFFFFFF"),
    ("/inbox/read/", "33NNNNNN", "33333333", "FFFFFFFF"),
    ("/inbox/{notification}/", "33344444", "33NNNNNN", "FFFFFFFF"),
    ("/inbox/{notification}/read/", "33NNNNNN", "33344444", "FFFFFFFF"),
    ("/inbox/{notification}/unread/", "33NNNNNN", "33344444", "FFFFFFFF"),
    ("/people/author/follow/", "33NNNNNN", "33333333", "FFFFFFFF"),
    ("/people/author/ignore/", "33NNNNNN", "33333333", "FFFFFFFF"),
    ("/announcements/dismissed.css", "22222222", "NNNNNNNN", "FFFFFFFF"),
    ("/announcements/{announcement}/dismiss/", "NNNNNNNN", "33333333", "33333333"),
    ("/complete/", "NNNNNNNN", "44444444", "FFFFFFFF"),
    ("/unsubscribe/x/", "44444444", "44444444", "44444444"),
    ("/own/1.css", "22222222", "NNNNNNNN", "FFFFFFFF"),
    ("/language/", "NNNNNNNN", "33333333", "33333333"),
    ("/accounts/profile/", "33222222", "33333333", "FFFFFFFF"),
    ("/accounts/preferences/", "33222222", "33UUUUUU", "FFFFFFFF"),
    ("/accounts/sessions/{session}/end/", "33NNNNNN", "33344444", "FFFFFFFF"),
    ("/accounts/data/", "33222222", "33NNNNNN", "FFFFFFFF"),
    ("/accounts/export/", "33222222", "33NNNNNN", "FFFFFFFF"),
    ("/accounts/delete/", "33222222", "33UUUUUU", "FFFFFFFF"),
    ("/rooms/", "22222222", "NNNNNNNN", "FFFFFFFF"),
    ("/rooms/lobby/", "22222222", "NNNNNNNN", "FFFFFFFF"),
    ("/rooms/den/", "44244444", "NNNNNNNN", "FFFFFFFF"),
    ("/rooms/{lobby}/messages/", "33333333", "FFUUUUUU", "FFFFFFFF"),
    ("/rooms/{lobby}/read/", "33NNNNNN", "33333333", "FF000000"),
    ("/rooms/{lobby}/involvement/", "33NNNNNN", "33444444", "FFFFFFFF"),
    ("/rooms/{den}/messages/", "44344444", "44U44444", "44F44444"),
    ("/rooms/{den}/read/", "33NNNNNN", "33300000", "FF000000"),
    ("/rooms/{den}/involvement/", "33NNNNNN", "33444444", "FFFFFFFF"),
    ("/rooms/{talk}/messages/", "44343444", "44U4U444", "44F4F444"),
    ("/rooms/{talk}/read/", "33NNNNNN", "33303000", "FF000000"),
    ("/rooms/{talk}/involvement/", "33NNNNNN", "33444444", "FFFFFFFF"),
    ("/rooms/messages/{line}/", "33333333", "NNNNNNNN", "FFFFFFFF"),
    ("/rooms/messages/{line}/edit/", "33244444", "33U44444", "FFF44444"),
    ("/rooms/messages/{line}/delete/", "33244444", "33344444", "FFF44444"),
    ("/rooms/messages/{line}/report/", "33222222", "33UUUUUU", "FFFFFFFF"),
    ("/rooms/messages/{line}/menu/", "33444242", "33NNNNNN", "FFFFFFFF"),
    ("/rooms/messages/{line}/remove/", "33NNNNNN", "33444U4U", "FF444F4F"),
    ("/rooms/messages/{line}/restore/", "33NNNNNN", "33444343", "FF444F4F"),
    ("/rooms/messages/{line}/keep/", "33NNNNNN", "33444343", "FF444F4F"),
    ("/rooms/messages/{line}/ban/", "33NNNNNN", "33444U4U", "FF444F4F"),
    ("/rooms/messages/{secret}/menu/", "33444444", "33NNNNNN", "FFFFFFFF"),
    ("/rooms/messages/{secret}/remove/", "33NNNNNN", "33444444", "FF444444"),
    ("/rooms/messages/{secret}/ban/", "33NNNNNN", "33444444", "FF444444"),
    ("/rooms/messages/{private}/menu/", "33444444", "33NNNNNN", "FFFFFFFF"),
    ("/rooms/messages/{private}/ban/", "33NNNNNN", "33444444", "FF444444"),
    ("/rooms/messages/{reported_line}/menu/", "33444242", "33NNNNNN", "FFFFFFFF"),
    ("/rooms/messages/{reported_line}/remove/", "33NNNNNN", "33444U4U", "FF444F4F"),
    ("/rooms/messages/{secret}/", "44344444", "NNNNNNNN", "FFFFFFFF"),
    ("/rooms/messages/{secret}/edit/", "33244444", "33U44444", "FFF44444"),
    ("/rooms/messages/{secret}/delete/", "33244444", "33344444", "FFF44444"),
    ("/rooms/messages/{secret}/report/", "33244444", "33U44444", "FFF44444"),
    ("/rooms/messages/{private}/", "44343444", "NNNNNNNN", "FFFFFFFF"),
    ("/rooms/messages/{private}/edit/", "33244444", "33U44444", "FFF44444"),
    ("/rooms/messages/{private}/delete/", "33244444", "33344444", "FFF44444"),
    ("/rooms/messages/{private}/report/", "33242444", "33U4U444", "FFF4F444"),
    ("/rooms/left-room-slug/", "44442444", "NNNNNNNN", "FFFFFFFF"),
    ("/rooms/{left}/messages/", "44443444", "4444U444", "4444F444"),
    ("/rooms/{left}/read/", "33NNNNNN", "33003000", "FF000000"),
    ("/rooms/{left}/involvement/", "33NNNNNN", "33444444", "FFFFFFFF"),
    ("/rooms/{trio}/messages/", "44433444", "444UU444", "444FF444"),
    ("/rooms/{trio}/read/", "33NNNNNN", "33033000", "FF000000"),
    ("/rooms/messages/{left_line}/", "44443444", "NNNNNNNN", "FFFFFFFF"),
    ("/rooms/messages/{left_own}/", "44443444", "NNNNNNNN", "FFFFFFFF"),
    ("/rooms/messages/{left_own}/edit/", "33444444", "33444444", "FF444444"),
    ("/rooms/messages/{left_own}/delete/", "33444444", "33444444", "FF444444"),
    ("/rooms/messages/{trio_line}/report/", "33422444", "334UU444", "FF4FF444"),
    ("/messages/", "33222222", "33UUUUUU", "FFFFFFFF"),
    ("/messages/author/", "33224222", "33UU4UUU", "FFFF4FFF"),
    ("/messages/author/leave/", "33NNNNNN", "33444444", "FFFFFFFF"),
    ("/messages/author/block/", "33NNNNNN", "33334333", "FFFFFFFF"),
    ("/messages/author,other/", "33222222", "33FUUUUU", "FFFFFFFF"),
    ("/messages/author,other/leave/", "33NNNNNN", "33344444", "FFFFFFFF"),
    ("/live/", "00000000", "NNNNNNNN", "FFFFFFFF"),
    ("/media/none", "44444444", "44444444", "FFFFFFFF"),
    ("/favicon.ico", "33333333", "33333333", "FFFFFFFF"),
    ("/admin/", "33332222", "33332222", "FFFFFFFF"),
    ("/admin/posts/post/", "33332222", "33332222", "FFFFFFFF"),
    ("/admin/posts/post/{draft}/change/", "33332322", "33332F22", "FFFFFFFF"),
    ("/admin/posts/comment/", "3333F222", "3333F222", "FFFFFFFF"),
    ("/admin/moderation/report/", "3333F2F2", "3333F2F2", "FFFFFFFF"),
    ("/admin/moderation/action/", "3333F2F2", "3333F2F2", "FFFFFFFF"),
    ("/admin/moderation/suspectword/", "3333F2F2", "3333F2F2", "FFFFFFFF"),
    ("/admin/posts/tag/", "33332F22", "33332F22", "FFFFFFFF"),
    ("/admin/people/person/", "3333FFF2", "3333FFF2", "FFFFFFFF"),
    ("/admin/rooms/room/", "3333F222", "3333F222", "FFFFFFFF"),
    ("/admin/rooms/message/", "3333F2F2", "3333F2F2", "FFFFFFFF"),
    ("/admin/inbox/announcement/", "3333FF22", "3333FF22", "FFFFFFFF"),
]
LISTENERS = {  # who may hear a stream, in the order of the cast
    "inbox.announcements": "yyyyyyyy",
    "posts.frontpage": "yyyyyyyy",
    "rooms.myrooms": "--y-----",
    "people.displaynames": "--------",
    "rooms.openrooms": "yyyyyyyy",
    "people.person": "--y-----",
    "posts.post": "----y-yy",  # of a draft
    "moderation.queue": "-----y-y",
    "rooms.room": "--y-----",  # for members
}


@pytest.mark.parametrize("method, with_token, column", [("get", True, 1), ("post", True, 2), ("post", False, 3)])
def test_everybody_gets_where_they_may_and_nowhere_else(world, method, with_token, column):
    clients = {}
    for name in CAST:
        clients[name] = Client(raise_request_exception=False, enforce_csrf_checks=not with_token)
        if name != "anonymous":
            clients[name].force_login(getattr(world, name), backend=BACKEND)
    wrong = []
    for row in ROWS:
        address = row[0].format(**world.keys)
        for name, code in zip(CAST, row[column], strict=True):
            before = transaction.savepoint()
            status = getattr(clients[name], method)(address).status_code
            transaction.savepoint_rollback(before)
            if status != ANSWERS[code]:
                wrong.append(f"{method} {address} as {name}: {status}, not {ANSWERS[code]}")
    assert not wrong, "\n".join(wrong)


def test_every_address_has_a_row(world):
    def routes(patterns, before=""):
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                yield before + str(pattern.pattern).removeprefix("^"), pattern.name or ""
            else:
                yield from routes(pattern.url_patterns, before + str(pattern.pattern))

    tried = {resolve(address.format(**world.keys)).route.replace("^", "") for address, *_ in ROWS}
    theirs = ("account_", "mfa_", "usersessions_")  # allauth's, about one's own account alone
    ours = {
        r
        for r, name in routes(get_resolver().url_patterns)
        if not r.startswith("admin/") and not name.startswith(theirs)
    }
    assert ours <= tried
    apps = ("inbox", "moderation", "people", "posts", "rooms")
    ours = {model for model in admin.site._registry if model._meta.app_label in apps}
    lists = {f"admin/{model._meta.app_label}/{model._meta.model_name}/" for model in ours}
    assert lists <= tried


@pytest.mark.parametrize(
    "kind", sorted(kind for kind in kinds if apps.is_installed(kind.partition(".")[0]))
)  # not the tests' own
def test_streams_are_heard_by_those_who_may_read_what_they_tell(world, kind):
    things = [
        ANNOUNCEMENTS,
        FRONT,
        OPEN_ROOMS,
        MyRooms(world.owner.pk),
        DISPLAY_NAMES,
        world.owner,
        world.draft,
        QUEUE,
        world.den,
    ]
    thing = next(thing for thing in things if name_of(thing).startswith(f"{kind}:"))
    listeners = "".join("y" if kinds[kind](thing).allows(getattr(world, name)) else "-" for name in CAST)
    assert listeners == LISTENERS[kind]


# What nobody may learn who may not see it: a word that stands nowhere else, and who of the cast may. What one wrote
# oneself, one finds for ever in the export of one's data.
SECRETS = {
    "draft-title": "author editor admin",
    "draft-text": "author editor admin",
    "withdrawn-title": "author editor admin moderator",  # who sees, in the admin, on what a comment was made
    "withdrawn-slug": "author editor admin",
    "withdrawn-text": "author editor admin",
    "withdrawn-comment": "author editor admin moderator other",
    "locked-text": "author editor admin",
    "locked-summary": "author editor admin",
    "locked-password": "author editor admin",
    "locked-update": "author editor admin",
    "locked-comment": "author editor admin moderator other",
    "waiting-text": "moderator editor admin other",
    "rejected-text": "moderator editor admin other",
    "rejected-reason": "moderator editor admin other",
    "removed-text": "moderator editor admin other",
    "removed-reason": "moderator editor admin other",
    "tombstone-text": "moderator editor admin other",
    "earlier-text": "moderator admin",
    "what-was-reported": "moderator admin",
    "left-room-name": "author moderator editor admin",
    "left-room-slug": "author moderator editor admin",
    "left-room-topic": "author moderator editor admin",
    "left-room-line": "author",
    "left-line": "author other",
    "private-line": "author owner",
    "reported-line": "author owner moderator admin",
    "private-report": "moderator admin",
    "future-announcement": "editor admin",
    "why-banned": "banned admin",
    "owner@example.org": "owner admin",
}
LEARNING = ["anonymous", "owner", "moderator"]  # the others are like one of them, or may see nearly all


def addresses(world):
    """Each address of ours, made of each of the things that somebody may not see (list of str)."""
    posts = [world.post, world.draft, world.locked, world.withdrawn]
    comments = [world.locked_own, world.locked_comment, world.withdrawn_comment, world.waiting, world.rejected]
    comments += [world.removed, world.tombstone, world.edited]
    rooms, lines = (
        [world.left, world.trio, world.duo],
        [world.left_line, world.left_own, world.trio_line, world.duo_line, world.reported_line],
    )
    rows = list(Notification.objects.filter(person=world.owner))
    values = {
        "posts/<str:slug>/": [post.slug for post in posts],
        "comments/<int:pk>/": [comment.pk for comment in comments],
        "rooms/messages/<int:pk>/": [line.pk for line in lines],
        "rooms/<int:pk>/": [room.pk for room in rooms],
        "rooms/<str:slug>/": [world.left.slug, world.den.slug],
        "messages/<str:names>/": ["author", "owner", "author,other", "owner,other", "author,owner"],
        "inbox/<int:pk>/": [row.pk for row in rows],
        "people/<str:username>/": ["owner", "other", "banned"],
        "announcements/<int:pk>/": [world.announcement.pk, world.future.pk],
        "accounts/sessions/<int:pk>/": [world.session.pk],
        "own/<int:pk>.css": [world.owner.pk],
        "tags/<str:slug>/": ["none"],
        "unsubscribe/<str:token>/": ["x"],
    }
    for pattern in get_resolver().url_patterns[:4]:  # ours
        for route in (str(one.pattern) for one in pattern.url_patterns):
            if "<" not in route:
                yield f"/{route}"
                continue
            [start] = [start for start in values if route.startswith(start)]
            for value in values[start]:
                yield f"/{route[: start.index('<')]}{value}{start[start.index('>') + 1 :]}{route[len(start) :]}"
    for thing in (
        world.draft,
        world.locked,
        world.withdrawn,
        *comments[3:5],
        *rooms,
        lines[0],
        world.future,
        world.owner,
    ):
        yield f"/admin/r/{ContentType.objects.get_for_model(thing).pk}/{thing.pk}/"
        yield f"/admin/{thing._meta.app_label}/{thing._meta.model_name}/{thing.pk}/change/"
    yield from (row[0] for row in ROWS if row[0].startswith("/admin/") and "{" not in row[0])


def told(response):
    """All that an ``HttpResponse`` says (str): its head, its body, and what is in that if it is a zip."""
    body = response.getvalue() if response.streaming else response.content
    if is_zipfile(BytesIO(body)):
        with ZipFile(BytesIO(body)) as archive:
            body = b"".join(map(archive.read, archive.namelist()))
    return unquote(f"{response.headers}{response.cookies}") + body.decode(errors="replace")


WAYS = [({}, True), ({"HX-Request": "true"}, True), ({}, False), ({"HX-Request": "true"}, False)]  # and: has a token


@pytest.mark.parametrize("name", LEARNING)
def test_nobody_learns_what_they_may_not_see(world, name):
    """By no address, no method and no field; the ways to send a form, WAYS, vary from address to address."""
    assert ask_everything(world, name, every_way=False) > 900


@pytest.mark.stress
@pytest.mark.parametrize("name", LEARNING)
def test_nobody_learns_it_at_any_address_in_any_way(world, name):
    """Each form at each address with a token and without, by htmx and not."""
    assert ask_everything(world, name, every_way=True) > 1500


def ask_everything(world, name, every_way):
    """Ask each address as ``name``, and fail for each secret in an answer that is none of theirs. → number asked (int)

    Unless ``every_way`` a form is sent in two of the WAYS, with a token and without, and its variants in one each.
    """
    hidden = [secret for secret, people in SECRETS.items() if name not in people.split()]
    clients = {True: Client(raise_request_exception=False)}
    clients[False] = Client(raise_request_exception=False, enforce_csrf_checks=True)
    for client in clients.values() if name != "anonymous" else []:
        client.force_login(getattr(world, name), backend=BACKEND)
        session = client.session
        lately_confirmed = {"method": "password", "at": time.time(), "reauthenticated": True}
        session["account_authentication_methods"] = [lately_confirmed]
        session.save()
    things = (world.post, world.draft, world.locked, world.withdrawn, world.left, world.trio, world.duo, world.owner)
    cursors = {Cursor(name_of(thing), 0).signed: "0" for thing in things}  # of pages that were open once
    fields = cursors | {"body": "x", "reason": "x", "before": "99999", "after": "0", "upto": "99999", "on": "1"}
    fields |= {"people": "author owner", "involvement": "everything", "page": "1", "long": "on"}
    thread = name_of(world.withdrawn)
    query = f"?before=99999&page=1&field=x&thread={thread}"
    keys = [*Comment.objects.exclude(key=None).values_list("key", flat=True)]
    variants = [*({"parent": comment.pk} for comment in Comment.objects.all()), *({"key": key} for key in keys)]
    asked, wrong = 0, []

    def ask(client, method, address, data, headers):
        nonlocal asked
        before = transaction.savepoint()
        response = getattr(client, method)(address, data, headers=headers)
        transaction.savepoint_rollback(before)
        html_cache.clear()  # of ticks that never were
        asked += 1
        text = told(response)
        for secret in hidden:
            if secret in text and secret not in address:
                wrong.append(f"{method} {address} {data.keys() - fields.keys()} {headers}: {secret}")

    for address in addresses(world):
        turn = crc32(address.encode())
        for headers in ({}, {"HX-Request": "true"}):
            ask(clients[True], "get", address + query, {}, headers)
        ways = WAYS if every_way else [WAYS[turn % 2], WAYS[3 - turn % 2]]
        for headers, has_token in ways:
            ask(clients[has_token], "post", address, fields, headers)
        for n, more in enumerate(variants if address.endswith("/comments/") else []):
            for headers, has_token in WAYS if every_way else [WAYS[(turn + n) % 4]]:
                ask(clients[has_token], "post", address, fields | more, headers)
    assert not wrong, "\n".join(wrong)
    return asked
