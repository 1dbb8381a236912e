"""Who is behind a page: the person whom its session names, asked afresh each time and never remembered.

Any session engine will do. Those of the database (``db``, ``cached_db`` and what is made of them) are asked about all
viewers in one query; the others about each in turn. With ``signed_cookies`` the cookie is the session: nobody on the
server knows that somebody signed out, so an open page stays theirs until it is closed, or until the password changes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model, load_backend
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends import cached_db, db
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.crypto import constant_time_compare

Person = AbstractBaseUser | AnonymousUser
Session = dict[str, Any]


@dataclass(frozen=True)
class Viewer:
    """Whoever is behind a page, by ``session`` (a session key, or None)."""

    session: str | None = None

    def person(self) -> Person:
        """The signed-in person, or AnonymousUser if the session ended or never was one."""
        return people_of([self])[self]


def session_store() -> type[SessionBase]:
    return import_module(settings.SESSION_ENGINE).SessionStore


def session_key(cookie: str | None) -> str | None:
    """The key in the session's ``cookie`` (str, or None), or None if the engine of sessions never made such a key."""
    return None if cookie and "\0" in cookie else session_store()(cookie).session_key  # PostgreSQL refuses a NUL


def people_of(viewers: Iterable[Viewer]) -> dict[Viewer, Person]:
    """Who is signed in by the sessions of ``viewers`` (iterable of ``Viewer``). → dict of viewer to person

    With sessions in the database two queries, whatever their number. Judged as by ``django.contrib.auth.get_user``, but
    no session is changed.
    """
    people: dict[Viewer, Person] = dict.fromkeys(viewers, AnonymousUser())
    sessions = read_sessions({viewer.session for viewer in people if viewer.session})
    users = read_users(sessions.values())
    for viewer in people:
        session = sessions.get(viewer.session or "", {})
        person = users.get((session.get(BACKEND_SESSION_KEY, ""), session.get(SESSION_KEY, "")))
        if person and is_session_of(session, person):
            people[viewer] = person
    return people


def read_sessions(keys: set[str]) -> dict[str, Session]:
    """The sessions with ``keys`` (set of str) that did not expire: dict of key to what is in it (dict)."""
    store: Any = session_store()
    if store.load in (db.SessionStore.load, cached_db.SessionStore.load):
        rows = store.get_model_class().objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
        return {row.session_key: store().decode(row.session_data) for row in rows} if keys else {}
    return {key: load_session(store(key)) for key in keys}


def load_session(session: SessionBase) -> Session:
    session.create = lambda: None  # type: ignore[method-assign]  # some engines put a new session in the place of one that ended
    return session.load()


def read_users(sessions: Iterable[Session]) -> dict[tuple[str, str], AbstractBaseUser]:
    """The users named in ``sessions`` (iterable of dict): dict of (path of the backend, key in the session) to user."""
    wanted: dict[str, set[str]] = {}  # path of the backend -> keys
    for session in sessions:
        if session.get(BACKEND_SESSION_KEY) in settings.AUTHENTICATION_BACKENDS and SESSION_KEY in session:
            wanted.setdefault(session[BACKEND_SESSION_KEY], set()).add(session[SESSION_KEY])
    users: dict[tuple[str, str], AbstractBaseUser] = {}
    for path, keys in wanted.items():
        found = users_of(load_backend(path), keys)
        users |= {(path, key): user for key, user in found.items() if user}
    return users


def users_of(backend: Any, keys: set[str]) -> dict[str, Any]:
    """The users with ``keys`` (set of str, as in a session) whom ``backend`` lets in: dict of key to user, or None."""
    from django.contrib.auth.backends import ModelBackend  # it wants the model of users, which may import us

    model = get_user_model()
    parsed = {key: parse_key(model, key) for key in keys}
    parsed = {key: pk for key, pk in parsed.items() if pk is not None}
    if type(backend).get_user is not ModelBackend.get_user:
        return {key: backend.get_user(pk) for key, pk in parsed.items()}
    users = model._default_manager.in_bulk(parsed.values())
    return {key: users[pk] for key, pk in parsed.items() if pk in users and backend.user_can_authenticate(users[pk])}


def parse_key(model: type[AbstractBaseUser], key: str) -> Any:
    try:
        return model._meta.pk.to_python(key)
    except ValidationError:
        return None


def is_session_of(session: Session, person: Any) -> bool:
    """Whether the signed hash in ``session`` (dict) is still the one of ``person``: a new password changes it."""
    if not hasattr(person, "get_session_auth_hash"):
        return True
    hashes = [person.get_session_auth_hash(), *person.get_session_auth_fallback_hash()]
    return any(constant_time_compare(session.get(HASH_SESSION_KEY, ""), one) for one in hashes)
