"""People, posts, comments and rooms for a ``Site`` to be measured with, written straight into its database."""

import json
from importlib import import_module

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone

from inbox.models import ANNOUNCEMENTS
from live.cursors import cursors
from people.markdown import render_markdown
from people.models import Person
from posts import markdown
from posts.models import Comment, Post
from rooms.models import Membership, Room

WORDS = "The tide is out and the boats lie on their sides; from the pier one sees as far as the lighthouse."


def people(site, count):
    """So many new people (list of ``Person``), of whom none can log in with a password."""
    with site.orm():
        began = Person.objects.count()
        names = [f"reader-{began + n}" for n in range(count)]
        return Person.objects.bulk_create(
            Person(username=name, email=f"{name}@parley.example", password="!") for name in names
        )


def cookies(site, persons):
    """Log ``persons`` in: the cookie (str) of each."""
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    expires = timezone.now() + timezone.timedelta(days=1)
    sessions = []
    for person in persons:
        values = {
            SESSION_KEY: str(person.pk),
            BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
            HASH_SESSION_KEY: person.get_session_auth_hash(),
        }
        key = f"bench{person.pk:027d}"
        sessions.append(Session(session_key=key, session_data=store.encode(values), expire_date=expires))
    with site.orm():
        Session.objects.bulk_create(sessions)
    return [f"{settings.SESSION_COOKIE_NAME}={session.session_key}" for session in sessions]


def hellos(site, persons, thing):
    """What pages of ``persons`` that show ``thing`` bring along, as ``Crowd`` takes it; logs them in."""
    with site.orm():
        shown = [cursors(thing, ANNOUNCEMENTS, person) for person in persons]
    forms = [{"language": "en"} | {cursor.signed: str(cursor.tick) for cursor in some} for some in shown]
    return [(cookie, json.dumps(form)) for cookie, form in zip(cookies(site, persons), forms, strict=True)]


def posts(site, author, count):
    """So many new public posts by ``author`` (list of ``Post``)."""
    now = timezone.now()
    with site.orm():
        began = Post.objects.count()
        return Post.objects.bulk_create(
            Post(
                author=author,
                title=f"Post {n}",
                slug=f"post-{n}",
                body=WORDS,
                html=markdown.article(WORDS),
                status=Post.Status.PUBLISHED,
                published_at=now,
            )
            for n in range(began, began + count)
        )


def comments(site, author, post, count):
    """Let ``author`` have made ``count`` comments on ``post``; a quarter are replies, to every third of the rest."""
    html = render_markdown(WORDS)

    def said(parent=None):
        comment = Comment(post=post, author=author, body=WORDS, html=html, born=1, changed=1)
        comment.place(parent)
        return comment

    with site.orm():
        threads = Comment.objects.bulk_create([said() for _ in range(count - count // 4)], batch_size=1000)
        Comment.objects.bulk_create([said(one) for one in threads[::-3][: count // 4]], batch_size=1000)
        post.count_comments(count)


def room(site, kind, members):
    """A new room of this ``kind`` whose members are the people ``members``."""
    with site.orm():
        made = Room(name="The lobby", kind=kind)
        made.revise()
        Membership.objects.bulk_create(Membership(room=made, person=person) for person in members)
    return made
