from django.conf import settings
from django.utils import timezone, translation

SPOKEN = dict(settings.LANGUAGES)


def preferences(get_response):
    """Middleware: pages of signed-in people are in their language, with the times of their time zone.

    Anonymous pages are the same for all: nothing is even asked unless there is a session.
    """

    def prefer(request):
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
            return get_response(request)
        if request.user.language in SPOKEN:
            translation.activate(request.user.language)  # LocaleMiddleware, around us, says so in the answer
            request.LANGUAGE_CODE = request.user.language
        with timezone.override(request.user.time_zone or None):
            return get_response(request)

    return prefer
