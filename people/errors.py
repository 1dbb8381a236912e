"""What is answered when something goes wrong: a page, and to htmx a notice, for what was typed stays where it is."""

import re
from types import SimpleNamespace

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpResponse, parse_cookie
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import get_language_from_request
from django.utils.translation import gettext_lazy as _
from django.views import defaults
from django_htmx.http import reswap

from live import fragments
from live.http.bodies import announced
from people.client_info import retry_after


def malformed(request, exception):
    """A request that is refused unread: with the limit, if it passed one that a person can meet."""
    match exception:
        case RequestDataTooBig():
            limit = filesizeformat(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
            sentence = _("That was too long: at most %(limit)s can be sent at once.") % {"limit": limit}
        case TooManyFieldsSent():
            limit = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
            sentence = _("Those were too many fields: at most %(limit)s can be sent at once.") % {"limit": limit}
        case TooManyFilesSent():
            limit = settings.DATA_UPLOAD_MAX_NUMBER_FILES
            sentence = _("Those were too many files: at most %(limit)s can be sent at once.") % {"limit": limit}
        case _:
            sentence = _("That was not understood.")
    with translation.override(getattr(request, "LANGUAGE_CODE", None) or get_language_from_request(request)):
        if by_htmx(request):
            return htmx_notice(sentence, 400)
        return HttpResponse(render_to_string("400.html", {"sentence": sentence}), status=400)


def missing(request, exception):
    if by_htmx(request) or typed(request):
        return turn_down(request, _("There is nothing here."), 404)
    return defaults.page_not_found(request, exception)


def forbidden(request, exception):
    if by_htmx(request) or typed(request):
        return turn_down(request, _("You may not do that."), 403)
    return defaults.permission_denied(request, exception)


def broken(request):
    message = _("Something went wrong on our side. It has been noted.")
    return htmx_notice(message, 500) if by_htmx(request) else defaults.server_error(request)


def refused(request, refusal):
    """Tell why (``refusal``, Refused): nothing was done, and the page stays as it is."""
    return retry_after(turn_down(request, refusal.messages[0], refusal.status), refusal)


def turn_down(request, sentence, status):
    """Tell why nothing was done with what was sent: to htmx by a notice, else by a page, which holds what was typed.

    → the response, with ``sentence`` (str) and ``status`` (int)
    """
    if by_htmx(request):
        return htmx_notice(sentence, status)
    context = {"sentence": sentence, "typed": typed(request), "live": []}
    return render(request, "refused.html", context, status=status)


# What a form sends beside what somebody typed: secrets, what we put into it, and what was chosen from a list.
NOT_TYPED = re.compile(
    r"csrf|token|made_for|password|code|secret|version|:|^_|(^|-)(key|id|parent|on|long|again|left|blocked|upto|action)$"
    r"|_FORMS$|^(involvement|language|time_zone|mail|comments|status|coverage|format|next|select_across|field|thread)$"
)


def typed(request):
    """The texts (list of str) that somebody typed into the form that was sent."""
    if request.method != "POST":
        return []
    sent = [(name, value.strip()) for name, values in request.POST.lists() for value in values]
    return [value for name, value in sent if not NOT_TYPED.search(name) and value and not value.isdecimal()]


def htmx_notice(message, status):
    """Tell the page ``message`` (str), and leave it as it is. → the response, with ``status`` (int)"""
    html = render_to_string("partials/notice.html", {"notice": message})
    return reswap(HttpResponse(fragments.morph(html, "#notice"), status=status), "none")


async def refuse_body(scope, send, status):
    """Answer in the place of Django, for ``live.http.bodies``: ``status`` (int) is 413 or 408.

    ``scope`` and ``send`` are ASGI's. A few bytes: whoever gets this has cost enough.
    """
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    asker = SimpleNamespace(
        COOKIES=parse_cookie(headers.get("cookie", "")),
        META={"HTTP_ACCEPT_LANGUAGE": headers.get("accept-language", "")},
    )
    with translation.override(get_language_from_request(asker)):
        if status == 413:
            most = announced(scope["headers"])[1] // 1_000_000
            text = _("This is too large: at most %(most)s MB can be sent at once.") % {"most": most}
        else:
            text = _("This took too long to arrive. Send it once more.")
        if "hx-request" in headers:
            answer = htmx_notice(text, status)
        else:
            answer = HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
    pairs = [(name.lower().encode(), value.encode()) for name, value in answer.items()]
    pairs += [(b"cache-control", b"no-store"), (b"content-length", b"%d" % len(answer.content))]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": answer.content})


def by_htmx(request):
    """Whether htmx asks: also where a request is refused before ``HtmxMiddleware`` has looked at it."""
    return request.headers.get("HX-Request") == "true"
