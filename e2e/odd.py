"""Requests that no browser of ours sends: every address of the site, asked in hundreds of odd ways.

``Asker`` puts a request into the site as ``site/asgi.py`` does once its bytes have come, in this thread, and takes back
whatever it wrote: so each begins with the same rows. ``odd_requests`` and ``odd_paths`` are the ways.
"""

import re
import sys
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from urllib.parse import quote, urlencode

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.core.signals import got_request_exception, request_finished
from django.db import close_old_connections, connection, transaction
from django.urls import URLPattern, get_resolver
from django.utils import timezone
from parley.requests import Handler

from e2e.odd_values import (
    FIELD_NAMES,
    FIELDS,
    FORM,
    HEADERS,
    LENGTHS,
    METHODS,
    MULTIPART,
    MULTIPARTS,
    PARAMETER_VALUES,
    PARAMETERS,
    QUERIES,
    RAW_BODIES,
    RAW_QUERIES,
    TYPES,
    VALUES,
    part,
)
from inbox.models import Announcement
from moderation.models import SuspectWord
from people.models import Person
from posts.models import LiveUpdate, Post, Tag
from rooms.models import Room


class Asker:
    """``ask(…)`` sends one request to the site in this process. Forms need no token, or each would stop there."""

    def __init__(self):
        self.handler = Handler.__new__(Handler)
        self.handler.load_middleware(is_async=False)
        self.exception = None

    @contextmanager
    def listening(self):
        """Within, one may ask. What no view expected is kept as ``exception``, for the report."""

        def hear(sender, request, **_):
            self.exception = sys.exc_info()[1]

        got_request_exception.connect(hear)
        request_finished.disconnect(close_old_connections)  # it would end our transaction
        try:
            with one_statement_at_a_time():
                yield
        finally:
            request_finished.connect(close_old_connections)
            got_request_exception.disconnect(hear)

    def ask(self, method, path, query=b"", headers=(), body=b"", session=None):
        """Send a request: ``path`` (str) as a server has decoded it, the others bytes. → its status (int)"""
        headers = [(name.lower(), value) for name, value in headers]
        names = [name for name, _ in headers]
        cookies = [f"{settings.SESSION_COOKIE_NAME}={session}".encode()] if session else []
        cookies += [value for name, value in headers if name == b"cookie"]
        headers = [pair for pair in headers if pair[0] != b"cookie"]
        if b"host" not in names:
            headers.append((b"host", b"localhost"))
        if cookies:
            headers.append((b"cookie", b"; ".join(cookies)))
        if method == "POST" and b"content-type" not in names:
            headers.append((b"content-type", FORM.encode()))
        if body and b"content-length" not in names:
            headers.append((b"content-length", b"%d" % len(body)))
        scope = {"type": "http", "method": method, "path": path, "query_string": query, "headers": headers}
        scope |= {"scheme": "http", "client": ("127.0.0.1", 5), "server": ("127.0.0.1", 8000), "root_path": ""}
        cache.clear()  # nobody asks too often
        self.exception = None
        with transaction.atomic():
            request, response = self.handler.create_request(scope, BytesIO(body))
            if request:
                request._dont_enforce_csrf_checks = True
                response = self.handler._middleware_chain(request)
            for text in (*response.headers.values(), *(cookie.output() for cookie in response.cookies.values())):
                text.encode("latin-1")  # as it goes out
            if not response.streaming:
                self.body = response.content
            response.close()
            transaction.set_rollback(True)
        return response.status_code


@contextmanager
def one_statement_at_a_time():
    """A statement that PostgreSQL refuses spoils what the same transaction says later: let each stand alone."""

    def alone(execute, sql, params, many, context):
        raw = connection.connection
        if connection.vendor != "postgresql" or sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            return execute(sql, params, many, context)
        raw.execute("SAVEPOINT alone")
        try:
            answer = execute(sql, params, many, context)
        except Exception:
            raw.execute("ROLLBACK TO SAVEPOINT alone")
            raise
        raw.execute("RELEASE SAVEPOINT alone")
        return answer

    with connection.execute_wrapper(alone):
        yield


def furnish(site):
    """One of each thing. → the keys that addresses hold (dict), and the sessions of the cast (dict)"""
    with site.orm():
        people = {}
        for name in ("alice", "bob", "carol", "root"):
            long_ago = {"date_joined": timezone.now() - timedelta(30)}
            person = Person.objects.create_user(name, f"{name}@parley.example", "secret-9-word", **long_ago)
            people[name] = person
            EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
        alice, bob, carol, root = people.values()
        alice.groups.add(Group.objects.get(name="Authors"))
        Person.objects.filter(pk=root.pk).update(is_staff=True, is_superuser=True)
        root.refresh_from_db()
        post = Post(author=alice, title="Open", slug="open", body="x", coverage="live")
        post.publish()
        update = LiveUpdate(post=post, author=alice, body="x")
        update.revise()
        tag = Tag.objects.create(name="sea", slug="sea")
        post.tags.add(tag)
        word = SuspectWord.objects.create(word="casino")
        comment = post.comment(bob, "x")
        post.comment(root, "y", comment)
        comment.report(carol, "rude")
        announcement = Announcement(body="x", ends=timezone.now() + timedelta(1), by=root)
        announcement.announce()
        room = Room(name="lobby")
        room.revise()
        line = room.say(bob, "x")
        line.report(carol, "rude")
        report = line.reports.get()
        line.keep(root)
        action = line.actions.get()
        Room.write(bob, [carol], "x")
        Room.write(root, [carol], "x")
        session = UserSession.objects.create(user=bob, session_key="x", ip="127.0.0.1")
        keys = {"comment": comment.pk, "room": room.pk, "line": line.pk, "announcement": announcement.pk}
        keys |= {"post": post.pk, "tag": tag.pk, "word": word.pk, "session": session.pk}
        keys |= {"report": report.pk, "action": action.pk}
        keys |= {"person": bob.pk, "notification": bob.notifications.get().pk, "group": Group.objects.first().pk}
    sessions = {None: None} | {name: site.session(people[name])["value"] for name in ("bob", "root")}
    return keys, sessions


# Addresses

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)")
GOOD = {  # what stands in an address, by its route's beginning: the parameter's name, or its place, and a real thing
    "posts/": "open",
    "tags/": "sea",
    "people/": "carol",
    "comments/": "{comment}",
    "inbox/": "{notification}",
    "announcements/": "{announcement}",
    "own/": "{person}",
    "accounts/sessions/": "{session}",
    "rooms/messages/": "{line}",
    "rooms/<int": "{room}",
    "rooms/": "lobby",
    "messages/": "carol",
    "admin/posts/post/": "{post}",
    "admin/posts/tag/": "{tag}",
    "admin/posts/comment/": "{comment}",
    "admin/moderation/suspectword/": "{word}",
    "admin/moderation/report/": "{report}",
    "admin/moderation/action/": "{action}",
    "admin/people/person/": "{person}",
    "admin/auth/group/": "{group}",
    "admin/rooms/room/": "{room}",
    "admin/rooms/message/": "{line}",
    "admin/inbox/announcement/": "{announcement}",
    "admin/^(?P<app_label": "posts",
}


def routes(patterns=None, before=""):
    """Every route of the site (str), as it is written in ``urls.py``."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLPattern):
            yield before + str(pattern.pattern)
        else:
            yield from routes(pattern.url_patterns, before + str(pattern.pattern))


def fill(route, keys, values=()):
    """The path (str) of ``route``, with ``values`` (list of str) for its parameters, else with a real thing."""
    values = list(values)
    place = next((good for start, good in GOOD.items() if route.startswith(start)), "1")

    def value(match):
        if values:
            return values.pop(0)
        return place.format(**keys) if not route.startswith("admin/r/") else "1"

    path = PARAMETER.sub(value, route)
    return "/" + re.sub(r"[\^$\\]", "", path) if not values else None


def parameters(route):
    return len(PARAMETER.findall(route))


# What is odd: the values are in odd_values.py


def odd_paths(route, keys):
    """Requests to ``route`` with something odd for its parameters: (name, dict for ``ask``)."""
    for value in VALUES if parameters(route) else ():
        path = fill(route, keys, [value] * parameters(route))
        for method in ("GET", "POST"):
            yield f"path {value!r:.30}", {"method": method, "path": path}


def odd_requests():
    """What can be asked of any address: (name, dict for ``ask``)."""
    for method in METHODS:
        yield f"method {method!r:.30}", {"method": method}
    for query in QUERIES:
        yield f"query {query!r:.60}", {"query": quote(query, safe="&=%+;").encode()}
    for name in PARAMETERS:
        for value in PARAMETER_VALUES:
            yield f"query {name}={value!r:.30}", {"query": urlencode({name: value}).encode()}
    for query in RAW_QUERIES:
        yield f"raw query {query!r}", {"query": query}
    for lines in HEADERS:
        for method in ("GET", "POST"):
            yield f"header {lines!r:.60}", {"method": method, "headers": encoded(lines)}
    for kind in TYPES:
        headers = encoded({"Content-Type": kind})
        body = b"body=x" if kind.startswith(FORM) else part(b'name="body"')
        for method in ("GET", "POST"):
            yield f"type {kind!r:.70}", {"method": method, "headers": headers, "body": body}
    for length in LENGTHS:
        for kind in (FORM, MULTIPART):
            headers = [(b"content-type", kind.encode()), (b"content-length", length)]
            yield f"length {length!r:.20}", {"method": "POST", "headers": headers, "body": part(b'name="body"')}
    for body in MULTIPARTS:
        headers = encoded({"Content-Type": MULTIPART})
        yield f"multipart {body!r:.90}", {"method": "POST", "headers": headers, "body": body}
    for fields in [dict.fromkeys(FIELDS, value) for value in VALUES] + [{name: "1"} for name in FIELD_NAMES]:
        name, body = f"fields {fields!r:.40}", urlencode(fields).encode()
        yield name, {"method": "POST", "body": body}
        yield name, {"method": "POST", "body": body, "headers": [(b"hx-request", b"true")]}
    for body in RAW_BODIES:
        yield f"body {body!r:.30}", {"method": "POST", "body": body}


def encoded(lines):
    """The header ``lines`` (dict) as pairs of bytes, in which a letter beyond U+00FF is UTF-8."""

    def to_bytes(text):
        return text.encode("latin-1" if max(text, default="") <= "\xff" else "utf-8", "surrogatepass")

    return [(name.lower().encode("latin-1"), to_bytes(value)) for name, value in lines.items()]
