from django.middleware.csrf import get_token
from django.utils.functional import SimpleLazyObject


class Token(str):
    """The token of a form; ``person`` is the id of whom the form is made for, or None."""

    person = None


def token(request):
    """Context processor: ``csrf_token`` is Django's, and knows for whom it was made. Asked only if it is drawn."""

    def make():
        made = Token(get_token(request))
        if hasattr(request, "user") and request.user.is_authenticated:
            made.person = request.user.pk
        return made

    return {"csrf_token": SimpleLazyObject(make)}
