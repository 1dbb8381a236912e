from contextlib import suppress
from zoneinfo import ZoneInfoNotFoundError

from django.conf import settings
from django.utils import timezone, translation
from django.utils.deprecation import MiddlewareMixin

from people.errors import refused
from people.rules import Refused

SPOKEN = dict(settings.LANGUAGES)


class Preferences(MiddlewareMixin):
    """Pages of signed-in people are in their language, with the times of their time zone.

    Anonymous pages are the same for all: nothing is even asked unless there is a session. What is sent to all open
    pages is the same for all as well: its partials keep to the site's time zone (``{% timezone None %}``), on the page
    too, or the times of a comment would jump when it is edited.

    Not a function: that would be called in a thread, which waits for the event loop while the rest is done.
    """

    def process_request(self, request):
        timezone.deactivate()
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
            return
        if request.user.language in SPOKEN:
            translation.activate(request.user.language)  # LocaleMiddleware, around us, says so in the answer
            request.LANGUAGE_CODE = request.user.language
        if request.user.time_zone:
            with suppress(ZoneInfoNotFoundError):  # this machine may know fewer than another did
                timezone.activate(request.user.time_zone)


class Refusals(MiddlewareMixin):
    """Answers what a verb refuses and no view shows beside a form: for a button one pressed too often, say."""

    def process_exception(self, request, exception):
        return refused(request, exception) if isinstance(exception, Refused) else None
