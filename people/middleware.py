from contextlib import suppress
from zoneinfo import ZoneInfoNotFoundError

from django.conf import settings
from django.utils import timezone, translation
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _

from people.errors import by_htmx, refused, turn_down
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

    def process_response(self, request, response):
        """To htmx a form that comes back with what is wrong is a 422, whatever it is else.

        A page draws no other answer from 400 on (live/head.html): a proxy's, which would take the form's place.
        """
        is_swapped = 400 <= response.status_code < 500 and response.get("HX-Reswap") != "none"
        if is_swapped and by_htmx(request) and not response.streaming and response.content:
            response.status_code = 422
        return response


class MadeFor(MiddlewareMixin):
    """Refuses what the open page of one person sends after another signed in in the same browser.

    The form says for whom it was made (``{% csrf_token %}``), and so does htmx, which sends without forms too
    (base.html). This stands before the token is looked at: who signs in gets a new one, and a form that is only too old
    comes back to be sent once more, which would be in the other's name.
    """

    def process_view(self, request, view, args, kwargs):
        if request.method in ("GET", "HEAD", "OPTIONS") or not request.user.is_authenticated:
            return None
        made_for = {request.headers.get("Parley-Person"), *request.POST.getlist("made_for")} - {None, ""}
        if made_for <= {str(request.user.pk)}:
            return None
        message = _(
            "Not sent: you are signed in as %(name)s now, and this page is somebody else's. Copy what you wrote."
        )
        return turn_down(request, message % {"name": request.user}, 409)
