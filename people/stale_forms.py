"""Forms that got old: they come without a valid token, for their page was open for too long, or is not ours at all.

The view to which such a form was sent answers it itself, so nothing is found, checked or shown but by the usual way::

    @answers_stale_forms
    def report(request, pk):
        found = visible_comment(request, pk)
        form = bind(request, ReportForm)  # never valid if it is old

Nothing can come of it: the form is never valid (nor does ``check_age`` let pass), and should a view forget to ask, the
database is only read all the same, no session is saved, and the answer is never that of success.
Views that are not decorated are not called; a notice, or a page, says what to do.
"""

from allauth.core.exceptions import ImmediateHttpResponse
from django.db import connection
from django.http import Http404
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from people.decorators import SIGNED_OUT
from people.errors import by_htmx, htmx_notice, typed
from people.rules import Refused

TOO_OLD = _("This page was open for too long. Send it once more.")
READS = ("SELECT", "BEGIN", "SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")  # how their SQL begins


class TooOld(Refused):
    status = 403


def answers_stale_forms(view):
    """Decorator: the view answers a form that got old with a fresh one, which holds what was typed."""
    view.answers_stale_forms = True
    return view


def bind(request, form_class, **options):
    """The form (``form_class`` with ``options``) as it was sent, or empty if none was; not valid if it got old."""
    if request.method != "POST":
        return form_class(**options)
    form = form_class(request.POST, **options)
    try:
        check_age(request)
    except TooOld as refusal:
        form.add_error(None, refusal)
    return form


def check_age(request):
    """Raises ``TooOld`` if the form that was sent is. For views that call a verb without a form of Django's."""
    if is_stale(request):
        raise TooOld(TOO_OLD if request.user.is_authenticated else SIGNED_OUT)


def is_stale(request):
    """Whether ``request`` sends a form that got old (bool)."""
    return getattr(request, "is_stale", False)


def csrf_failure(request, reason=""):
    """Django's ``CSRF_FAILURE_VIEW``. → the answer of the view that the form was sent to, or a general one"""
    match = request.resolver_match
    if match and getattr(match.func, "answers_stale_forms", False) and (answer := refuse(request, match)):
        return answer
    if by_htmx(request):
        return htmx_notice(_("This page was open for too long. Reload it, then send this again."), 403)
    return render(request, "403_csrf.html", {"live": [], "typed": typed(request)}, status=403)


def refuse(request, match):
    """What the view of ``match`` (ResolverMatch) answers to a form that got old; None if it wanted to do something.

    Raises what the view does, ``Http404`` above all.
    """
    request.is_stale = True
    was_modified = request.session.modified
    try:
        with connection.execute_wrapper(only_read):
            answer = match.func(request, *match.args, **match.kwargs)
    except ImmediateHttpResponse as instead:
        answer = instead.response
    except Http404:
        raise  # be it a refusal too: what is not to be seen is as missing to an old form
    except Refused:
        return None
    finally:
        request.session.modified = was_modified
    if answer.status_code == 204:
        return answer
    if 300 <= answer.status_code < 400:
        return None
    answer.status_code = 403
    return answer


def only_read(execute, sql, params, many, context):
    """A wrapper of all that is asked of the database. Raises ``TooOld`` if that would change anything."""
    if not str(sql).lstrip(" (").upper().startswith(READS):
        raise TooOld(TOO_OLD)
    return execute(sql, params, many, context)
