"""What is answered when something goes wrong: a page, and to htmx a notice, for what was typed stays where it is."""

from django.http import HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from django.views import defaults
from django_htmx.http import reswap

from live import fragments
from people.visits import retry_after


def malformed(request, exception):
    return (
        stay(_("That was too much, or not understood."), 400)
        if by_htmx(request)
        else defaults.bad_request(request, exception)
    )


def missing(request, exception):
    return stay(_("There is nothing here."), 404) if by_htmx(request) else defaults.page_not_found(request, exception)


def forbidden(request, exception):
    return stay(_("You may not do that."), 403) if by_htmx(request) else defaults.permission_denied(request, exception)


def broken(request):
    said = _("Something went wrong on our side. It has been noted.")
    return stay(said, 500) if by_htmx(request) else defaults.server_error(request)


def refused(request, refusal):
    """Tell why (``refusal``, Refused): nothing was done, and the page stays as it is."""
    if by_htmx(request):
        response = stay(refusal.messages[0], refusal.status)
    else:
        response = render(request, "refused.html", {"refusal": refusal}, status=refusal.status)
    return retry_after(response, refusal)


def stay(said, status):
    """Tell the page ``said`` (str), and leave it as it is. → the response, with ``status`` (int)"""
    html = render_to_string("partials/notice.html", {"notice": said})
    return reswap(HttpResponse(fragments.morph(html, "#notice"), status=status), "none")


def by_htmx(request):
    return bool(getattr(request, "htmx", False))
