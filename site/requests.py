"""Refuses requests that no browser sends, before anything of ours reads them.

Each kind of value is checked here, once for all views: what gets past can be put into any query.
"""

import codecs
import logging
from traceback import extract_tb
from urllib.parse import unquote, urlsplit

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import BadRequest
from django.core.handlers.asgi import ASGIHandler
from django.db import DataError
from django.http import Http404, HttpResponseBadRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.deprecation import MiddlewareMixin
from django_htmx.middleware import HtmxDetails

from people.errors import malformed

logger = logging.getLogger("parley")

ADDRESS = 8000  # characters in an address with its query: nginx lets no longer one pass
LARGEST = 2**63 - 1  # number that a database column holds
PATTERNS = ("__regex", "__iregex")  # lookups that the admin would let one put into an address, at any cost
UNFIT = (DataError, OverflowError)
UNFIT_FOR_ADMIN = (ValueError, TypeError, AttributeError)
UNREADABLE = (MultiPartParserError, UnreadablePostError, ValueError, LookupError)


class Handler(ASGIHandler):
    """Django's, but a request that cannot even be looked at is refused too: its encoding has a NUL in its name."""

    def create_request(self, scope, body_file):
        try:
            return super().create_request(scope, body_file)
        except ValueError:
            return None, HttpResponseBadRequest()


class WellFormed(MiddlewareMixin):
    """Answers 400 to a request that is not text in UTF-8, holds NUL, or names a number too large for any column.

    It stands behind ``LocaleMiddleware``, so the answer is in the visitor's language, and before all that asks a
    database. A form is read here and nowhere sooner: if it cannot be, views and error pages find it empty.
    """

    def process_request(self, request):
        # A broken cookie is none: refused, its browser could not come in until somebody cleared its cookies.
        request.COOKIES = {name: value for name, value in request.COOKIES.items() if "\0" not in name + value}
        try:
            for text in texts(request):
                if "\0" in text:
                    raise BadRequest("a NUL")
                text.encode()  # half a surrogate pair is no text
        except UNREADABLE as error:
            request._mark_post_parse_error()
            raise BadRequest(type(error).__name__) from None
        except BadRequest:
            request._mark_post_parse_error()
            raise

    def process_view(self, request, view, arguments, keywords):
        """An id that is larger than any is an id of nothing."""
        if any(isinstance(value, int) and value > LARGEST for value in keywords.values()):
            raise Http404

    def process_exception(self, request, exception):
        """A value of the request that no column holds, or a NUL in a field of no form, met a database.

        The admin makes queries and forms of the parameters of an address: there other errors mean the same.
        """
        match = request.resolver_match
        by_admin = request.GET and match and (match.url_name or "").endswith(("_changelist", "_add"))
        if isinstance(exception, UNFIT) or (by_admin and isinstance(exception, UNFIT_FOR_ADMIN)):
            place = extract_tb(exception.__traceback__)[-1]
            logger.warning("%s at %s:%s", type(exception).__name__, place.filename, place.lineno)
            return malformed(request, exception)


def texts(request):
    """All that ``request`` says (each a str). Raises one of ``UNREADABLE``, or ``SuspiciousOperation``."""
    if request.encoding and codecs.lookup(request.encoding).name != "utf-8":
        raise BadRequest("not UTF-8")
    if len(request.path) + len(request.META.get("QUERY_STRING", "")) > ADDRESS:
        raise BadRequest("a long address")
    yield request.path
    for name, value in request.META.items():
        if isinstance(value, str):
            yield value
            if name.startswith("HTTP_HX_"):
                yield unquote(value)
    for name, values in request.GET.lists():
        if name.endswith(PATTERNS):
            raise BadRequest("a pattern")
        yield from (name, *values)
    for name, values in request.POST.lists():
        yield name
        yield from (value.replace("\0", "") for value in values)  # forms say that beside what was typed, and keep it
    for values in (request.GET, request.POST):
        urlsplit(values.get(REDIRECT_FIELD_NAME, ""))
    for name, files in request.FILES.lists():
        yield from (name, *(file.name or "" for file in files))
    yield HtmxDetails(request).current_url_abs_path or ""
