"""Sessions in the database, found by keys that it may be asked for."""

from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import VALID_KEY_CHARS


class SessionStore(db.SessionStore):
    """A cookie that holds anything but a key of Django's making is no session: PostgreSQL refuses a NUL."""

    def _validate_session_key(self, key):
        return super()._validate_session_key(key) and len(key) <= 40 and set(key) <= set(VALID_KEY_CHARS)
