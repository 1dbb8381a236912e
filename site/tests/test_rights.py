"""Who gets where: every address and every stream, asked by everybody. A new one without a row fails."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, Group
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver, resolve
from django.utils import timezone

from inbox.models import BOARD, Announcement
from live.streams import kinds, name_of
from people.models import NAMES, Person
from posts.models import FRONT, LiveUpdate, Post
from posts.models.moderation import QUEUE
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
    made.banned.ban(made.admin, "spam")
    things = {name: thing.pk for name, thing in vars(made).items() if getattr(thing, "pk", None)}
    made.keys = things | {"talk": made.private.room_id}
    return made


# An address, and what GET and POST answer to each of the cast, in its order: 0, 2, 3, 4 for 204, 200, 302, 404; F for
# 403 (not allowed, and no secret that it is there); N for 405 (no such method); U for 422 (allowed, but nothing was
# said). "3" for those who are not signed in leads to the sign-in, whatever the address.
ANSWERS = {"0": 204, "2": 200, "3": 302, "4": 404, "F": 403, "N": 405, "U": 422}
ROWS = [
    ("/", "22222222", "NNNNNNNN"),
    ("/posts/open/", "22222222", "NNNNNNNN"),
    ("/posts/draft/", "44442422", "NNNNNNNN"),
    ("/posts/open/unlock/", "NNNNNNNN", "UUUUUUUU"),
    ("/posts/draft/unlock/", "NNNNNNNN", "4444U4UU"),
    ("/posts/open/mute/", "33NNNNNN", "33333333"),
    ("/posts/draft/mute/", "33NNNNNN", "33443433"),
    ("/posts/open/comments/", "22222222", "FFUUUUUU"),
    ("/posts/draft/comments/", "44442422", "4444U4UU"),
    ("/tags/none/", "44444444", "NNNNNNNN"),
    ("/people/owner/", "22222222", "NNNNNNNN"),
    ("/people/banned/", "44444444", "NNNNNNNN"),
    ("/comments/{comment}/", "22222222", "NNNNNNNN"),
    ("/comments/{comment}/reply/", "33222222", "33NNNNNN"),
    ("/comments/{comment}/replies/", "22222222", "NNNNNNNN"),
    ("/comments/{comment}/edit/", "33244444", "33U44444"),
    ("/comments/{comment}/delete/", "33244444", "33344444"),
    ("/comments/{comment}/report/", "33222222", "33UUUUUU"),
    ("/comments/{comment}/menu/", "33444242", "33NNNNNN"),
    ("/comments/{comment}/approve/", "33NNNNNN", "33444343"),
    ("/comments/{comment}/reject/", "33NNNNNN", "33444U4U"),
    ("/comments/{comment}/remove/", "33NNNNNN", "33444U4U"),
    ("/comments/{comment}/restore/", "33NNNNNN", "33444343"),
    ("/comments/{comment}/keep/", "33NNNNNN", "33444343"),
    ("/comments/{comment}/ban/", "33NNNNNN", "33444U4U"),
    ("/inbox/", "33222222", "33NNNNNN"),
    ("/inbox/title/", "22222222", "NNNNNNNN"),
    ("/inbox/read/", "33NNNNNN", "33333333"),
    ("/inbox/{notification}/", "33344444", "33NNNNNN"),
    ("/inbox/{notification}/read/", "33NNNNNN", "33344444"),
    ("/inbox/{notification}/unread/", "33NNNNNN", "33344444"),
    ("/people/author/follow/", "33NNNNNN", "33333333"),
    ("/people/author/ignore/", "33NNNNNN", "33333333"),
    ("/announcements/dismissed.css", "22222222", "NNNNNNNN"),
    ("/announcements/{announcement}/dismiss/", "NNNNNNNN", "33333333"),
    ("/complete/", "NNNNNNNN", "44444444"),
    ("/unsubscribe/x/", "44444444", "44444444"),
    ("/own/1.css", "22222222", "NNNNNNNN"),
    ("/language/", "NNNNNNNN", "33333333"),
    ("/accounts/profile/", "33222222", "33333333"),
    ("/accounts/preferences/", "33222222", "33UUUUUU"),
    ("/accounts/sessions/{session}/end/", "33NNNNNN", "33344444"),
    ("/accounts/data/", "33222222", "33NNNNNN"),
    ("/accounts/export/", "33222222", "33NNNNNN"),
    ("/accounts/delete/", "33222222", "33UUUUUU"),
    ("/rooms/", "22222222", "NNNNNNNN"),
    ("/rooms/lobby/", "22222222", "NNNNNNNN"),
    ("/rooms/den/", "44244444", "NNNNNNNN"),
    ("/rooms/{lobby}/messages/", "33333333", "FFUUUUUU"),
    ("/rooms/{lobby}/read/", "33NNNNNN", "33333333"),
    ("/rooms/{lobby}/involvement/", "33NNNNNN", "33444444"),
    ("/rooms/{den}/messages/", "44344444", "44U44444"),
    ("/rooms/{den}/read/", "33NNNNNN", "33300000"),
    ("/rooms/{den}/involvement/", "33NNNNNN", "33444444"),
    ("/rooms/{talk}/messages/", "44343444", "44U4U444"),
    ("/rooms/{talk}/read/", "33NNNNNN", "33303000"),
    ("/rooms/{talk}/involvement/", "33NNNNNN", "33444444"),
    ("/rooms/messages/{line}/", "33333333", "NNNNNNNN"),
    ("/rooms/messages/{line}/edit/", "33244444", "33U44444"),
    ("/rooms/messages/{line}/delete/", "33244444", "33344444"),
    ("/rooms/messages/{line}/report/", "33222222", "33UUUUUU"),
    ("/rooms/messages/{secret}/", "44344444", "NNNNNNNN"),
    ("/rooms/messages/{secret}/edit/", "33244444", "33U44444"),
    ("/rooms/messages/{secret}/delete/", "33244444", "33344444"),
    ("/rooms/messages/{secret}/report/", "33244444", "33U44444"),
    ("/rooms/messages/{private}/", "44343444", "NNNNNNNN"),
    ("/rooms/messages/{private}/edit/", "33244444", "33U44444"),
    ("/rooms/messages/{private}/delete/", "33244444", "33344444"),
    ("/rooms/messages/{private}/report/", "33242444", "33U4U444"),
    ("/messages/", "33222222", "33222222"),
    ("/messages/author/", "33224222", "33UU4UUU"),
    ("/messages/author/leave/", "33NNNNNN", "33444444"),
    ("/messages/author/block/", "33NNNNNN", "33334333"),
    ("/media/none", "44444444", "44444444"),
    ("/favicon.ico", "33333333", "33333333"),
    ("/admin/", "33332222", "33332222"),
    ("/admin/posts/post/", "33332222", "33332222"),
    ("/admin/posts/post/{draft}/change/", "33332322", "33332F22"),
    ("/admin/posts/comment/", "3333F222", "3333F222"),
    ("/admin/posts/report/", "3333F2F2", "3333F2F2"),
    ("/admin/posts/suspectword/", "3333F2F2", "3333F2F2"),
    ("/admin/posts/tag/", "33332F22", "33332F22"),
    ("/admin/people/person/", "3333FFF2", "3333FFF2"),
    ("/admin/rooms/room/", "3333F222", "3333F222"),
    ("/admin/rooms/message/", "3333F2F2", "3333F2F2"),
    ("/admin/rooms/report/", "3333F2F2", "3333F2F2"),
    ("/admin/inbox/announcement/", "3333FF22", "3333FF22"),
]
LISTENERS = {  # who may hear a stream, in the order of the cast
    "board": "yyyyyyyy",
    "frontpage": "yyyyyyyy",
    "myrooms": "--y-----",
    "names": "--------",
    "openrooms": "yyyyyyyy",
    "person": "--y-----",
    "post": "----y-yy",  # of a draft
    "queue": "-----y-y",
    "room": "--y-----",  # for members
}


@pytest.mark.parametrize("method, column", [("get", 1), ("post", 2)])
def test_everybody_gets_where_they_may_and_nowhere_else(world, method, column):
    clients = {}
    for name in CAST:
        clients[name] = Client(raise_request_exception=False)
        if name != "anonymous":
            clients[name].force_login(getattr(world, name), backend=BACKEND)
    wrong = []
    for row in ROWS:
        address = row[0].format(**world.keys)
        for name, letter in zip(CAST, row[column], strict=True):
            before = transaction.savepoint()
            status = getattr(clients[name], method)(address).status_code
            transaction.savepoint_rollback(before)
            if status != ANSWERS[letter]:
                wrong.append(f"{method} {address} as {name}: {status}, not {ANSWERS[letter]}")
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
    ours = {model for model in admin.site._registry if model._meta.app_label in ("inbox", "people", "posts", "rooms")}
    lists = {f"admin/{model._meta.app_label}/{model._meta.model_name}/" for model in ours}
    assert lists <= tried


@pytest.mark.parametrize("kind", sorted(kinds))
def test_streams_are_heard_by_those_who_may_read_what_they_tell(world, kind):
    things = [BOARD, FRONT, OPEN_ROOMS, MyRooms(world.owner.pk), NAMES, world.owner, world.draft, QUEUE, world.den]
    thing = next(thing for thing in things if name_of(thing).startswith(f"{kind}:"))
    heard = "".join("y" if kinds[kind](thing).allows(getattr(world, name)) else "-" for name in CAST)
    assert heard == LISTENERS[kind]
