"""Whatever a stranger may do by a POST is counted, or there is a reason why it need not be."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone
from parley.settings import RATES_OF

from inbox.models import Notification
from people.export import export
from people.models import Person
from people.rates import RateLimit, TooFast
from posts.models import Post
from rooms.models import Room

pytestmark = pytest.mark.django_db
APPS = {"posts.urls", "inbox.urls", "people.urls", "rooms.urls"}  # allauth counts its own: ACCOUNT_RATE_LIMITS

# The names of addresses, what they are made of, and what bob posts there twice.
COUNTED = {
    "unlock": ("{locked}", {"password": "guess"}),
    "mute": ("{post}", {"on": "1"}),
    "comments": ("{post}", {"body": "hello {n}"}),
    "edit-comment": ("{comment}", {"body": "hello {n}"}),
    "report-comment": ("{carols}", {"reason": "rude"}),
    "unread": ("{notification}", {}),
    "follow": ("carol", {"on": "1"}),
    "ignore": ("carol", {"on": "1"}),
    "complete": ("", {"body": "@ca"}),
    "set_language": ("", {"language": "{language}"}),
    "account_login": ("", {"login": "carol", "password": "guess"}),
    "profile": ("", {"display_name": "Bob {n}"}),
    "preferences": ("", {"mail": "{mail}"}),
    "messages": ("{lobby}", {"body": "hello {n}"}),
    "conversation": ("{other}", {"body": "hello {n}"}),
    "involvement": ("{lobby}", {"involvement": "nothing"}),
    "edit-message": ("{line}", {"body": "hello {n}"}),
    "report-message": ("{carols_line}", {"reason": "rude"}),
    "leave": ("carol,dave", {"left": "yes"}),
}
NEED_NOT = {
    "delete-comment": "each comment once",
    "delete-message": "each message once",
    **dict.fromkeys(
        ("approve-comment", "reject-comment", "remove-comment", "restore-comment", "keep-comment", "ban-comment")
        + ("remove-message", "restore-message", "keep-message", "ban-message"),
        "moderators do",
    ),
    "read": "only what is unread",
    "read-all": "only what is unread",
    "read-room": "only what is unread",
    "dismiss": "each announcement once",
    "unsubscribe": "whoever has the mail, and twice is as once",
    "end-session": "each session once",
    "delete-account": "once, after the password",
    "conversations": "finds people by their names and keeps nothing",
    "block": "one row, of which nobody is told",
}


@pytest.fixture
def made(settings):
    """bob, who has been here for long, and the things that he does something to."""
    old = {"date_joined": timezone.now() - timedelta(days=30)}
    bob, carol, *others = (Person.objects.create_user(name, **old) for name in ("bob", "carol", "dave", "erin", "fay"))
    post, locked = Post(author=carol, title="Open"), Post(author=carol, title="Locked", password="sesame")
    post.publish()
    locked.publish()
    lobby = Room(name="lobby")
    lobby.revise()
    made = {"post": post.slug, "locked": locked.slug, "lobby": lobby.pk}
    made |= {"comment": post.comment(bob, "x").pk, "carols": post.comment(carol, "hello @bob").pk}
    made |= {"line": lobby.say(bob, "x").pk, "carols_line": lobby.say(carol, "x").pk}
    Room.write(bob, [carol, others[0]], "x")
    made["notification"] = Notification.objects.filter(person=bob, kind="mention").get().pk
    Notification.objects.get(pk=made["notification"]).read()
    settings.RATES_OF = {
        what: {kind: [(1, 10_000)] for kind in table if kind != "new"} for what, table in RATES_OF.items()
    }
    return SimpleNamespace(bob=bob, things=made)


def ours():
    """The addresses of our apps (name to URLPattern)."""
    apps = [include for include in get_resolver().url_patterns if hasattr(include, "urlconf_name")]
    parts = [one for app in apps if getattr(app.urlconf_name, "__name__", "") in APPS for one in app.url_patterns]
    return {pattern.name: pattern for pattern in parts}


def post(client, name, part, form, query=""):
    """The answer to what ``client`` posts to the address called ``name``, made of ``part`` (str)."""
    return client.post(reverse(name, args=[part] if ours()[name].pattern.converters else []) + query, form)


def test_there_is_a_verdict_on_every_address_that_takes_a_post(made):
    takes_posts = set()
    for name in ours():
        client = Client()
        client.force_login(made.bob)  # each time: one address signs out
        if post(client, name, "1", {}).status_code != 405:
            takes_posts.add(name)
    assert takes_posts == COUNTED.keys() | NEED_NOT.keys()


def do_twice(made, name):
    """Let bob do twice what is counted at the address called ``name``. → both answers"""
    part, form = COUNTED[name]
    client, answers = Client(), []
    if name != "account_login":
        client.force_login(made.bob)
    for n in range(2):
        turns = {"n": n, "language": ["zh-hans", "en"][n], "mail": ["off", "daily"][n], "other": ["erin", "fay"][n]}
        place = part.format(**made.things, **turns)
        sent = {key: value.format(**turns) for key, value in form.items()}
        answers.append(post(client, name, place, sent, "?field=body" if name == "complete" else ""))
        if name == "leave":
            post(client, name, place, {"left": "no"})
    return answers


@pytest.mark.parametrize("name", COUNTED)
def test_what_is_done_once_too_often_is_refused_with_the_time_to_wait(made, name):
    first, second = do_twice(made, name)
    assert first.status_code in (200, 302, 422) and second.status_code == 429
    assert name == "complete" or 0 < int(second["Retry-After"]) <= 10_000


def test_the_export_is_a_costly_get(made):
    export(made.bob, "192.0.2.1").close()
    with pytest.raises(TooFast):
        export(made.bob, "192.0.2.1")


def test_each_limit_is_asked_for_somewhere(made):
    seen = set()
    for name in COUNTED:
        do_twice(made, name)
        seen |= set(RateLimit.objects.values_list("action", flat=True))
        RateLimit.objects.all().delete()
    assert seen | {"complete", "export"} == RATES_OF.keys()  # the one is counted by the cache, the other a GET
