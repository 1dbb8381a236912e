from functools import wraps

from django.contrib.auth.views import redirect_to_login
from django.utils.translation import gettext_lazy as _
from django_htmx.http import HttpResponseClientRedirect

from people.errors import turn_down, typed

SIGNED_OUT = _("You are signed out. Sign in in another tab, then send this again.")


def signed_in(view):
    """Decorator: only for signed-in people. Others are led to the sign-in; what they typed stays where it is."""

    @wraps(view)
    def admit(request, *arguments, **keywords):
        if request.user.is_authenticated:
            return view(request, *arguments, **keywords)
        if request.method == "POST" and (request.htmx or typed(request)):
            return turn_down(request, SIGNED_OUT, 403)
        if not request.htmx:
            return redirect_to_login(request.get_full_path())
        address = redirect_to_login(request.htmx.current_url_abs_path or "/").url
        return HttpResponseClientRedirect(address)

    return admit
