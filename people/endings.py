"""Why a session ended: its open pages are told, and by then the session itself is gone."""

from datetime import timedelta

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import models
from django.utils import timezone

KEPT = timedelta(days=1)  # a page that slept for longer is told no reason


class EndedSession(models.Model):
    """A session that ended, by its key, and the ``reason``."""

    class Reason(models.TextChoices):
        SIGNED_OUT = "signed out"
        LISTED = "ended from the list of sessions"
        PASSWORD = "password changed"
        RENEWED = "got a new key"
        ENDED = "ended with all others of the person"
        EXPIRED = "expired"

    session_key = models.CharField(max_length=40, primary_key=True)
    reason = models.CharField(max_length=40, choices=Reason)
    at = models.DateTimeField(default=timezone.now)

    @classmethod
    def note(cls, reason, *keys):
        """Remember why the sessions ``keys`` (str, or None) end; in the transaction of the tick that tells them."""
        cls.objects.filter(at__lt=timezone.now() - KEPT).delete()
        rows = [cls(session_key=key, reason=reason) for key in set(keys) if key]
        options = {"unique_fields": ["session_key"], "update_fields": ["reason", "at"]}
        cls.objects.bulk_create(rows, update_conflicts=True, **options)

    @classmethod
    def reason_of(cls, key):
        """Why the session ``key`` (str, or None) ended; "" if it did not, or nobody knows."""
        if not key:
            return ""
        if row := cls.objects.filter(pk=key).first():
            return row.reason
        late = Session.objects.filter(session_key=key, expire_date__lte=timezone.now()).first()
        return cls.Reason.EXPIRED if late and SESSION_KEY in late.get_decoded() else ""
