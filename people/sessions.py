"""What becomes of sessions, and of the open pages of their people: heard from Django's and allauth's signals."""

from allauth.account.signals import password_changed, password_reset, password_set
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.signals import user_logged_out

import live
from people.attempts import forget
from people.endings import EndedSession


def connect_signals():
    user_logged_out.connect(on_signed_out)
    password_changed.connect(on_new_password)
    password_set.connect(on_new_password)
    password_reset.connect(on_password_reset)


def on_signed_out(request, user, **_):
    """Django's own announcement is the only place that every way of signing out passes.

    It comes before the session ends; we end it now, for the sockets are asked when the ring is heard.
    """
    if not user:
        return request.session.flush()
    with live.change(user):
        EndedSession.note(EndedSession.Reason.SIGNED_OUT, request.session.session_key)
        request.session.flush()


def on_new_password(request, user, **_):
    user.announce_new_password(*carry_over(request))


def on_password_reset(request, user, **_):
    user.announce_new_password()
    forget(request, user)


def carry_over(request):
    """The session of ``request`` got a new key, of which its open pages have not heard yet. → both keys, old and new"""
    former, key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""), request.session.session_key
    UserSession.objects.create_from_request(request)
    if former != key:
        EndedSession.note(EndedSession.Reason.RENEWED, former[:40])
    return former, key
