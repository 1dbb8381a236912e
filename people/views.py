from allauth.account.decorators import reauthentication_required
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.db import transaction
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.i18n import set_language

from live.hub import look_again
from live.ticks import tick
from people.adapters import UserSessionsAdapter
from people.decorators import signed_in
from people.export import export
from people.forms import ClosingForm, PreferencesForm, ProfileForm
from people.models import NAMES
from people.rules import Refused


@require_safe
@cache_control(public=True, max_age=86_400)
def own_css(request, pk):
    """The few style rules that make pages personal: they show ``pk`` (int) the controls of their own items.

    What others said they may report, and is new to them; their own lines are not. Pages and fragments are the same
    for everybody; the server authorises what the controls ask for.
    """
    return HttpResponse(OWN.replace(".mine", f".by-{pk}"), content_type="text/css")


OWN = """\
.mine > article .own { display: revert }
.report { display: revert }
.mine > article .report { display: none }
.line.mine { counter-increment: none }
.talk:not(:has(#read-to ~ .line:not(.mine))) .fresh { display: none }
#latest.mine { display: none }
"""


@csrf_exempt
@require_POST
def language(request):
    """The choice in the footer, which is for the browser, and for the person if there is one.

    Without a token, for the pages of the signed-out are the same for all. The choice carries no authority.
    """
    code = request.POST.get("language")
    if request.user.is_authenticated and code in dict(settings.LANGUAGES):
        request.user.language = code
        request.user.save(update_fields=["language"])
    return set_language(request)


@never_cache
@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request):
    return edit(request, ProfileForm, "people/profile.html")


@never_cache
@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request):
    return edit(request, PreferencesForm, "people/preferences.html")


def edit(request, form_class, template):
    form = form_class(request.POST if request.method == "POST" else None, instance=request.user)
    if form.is_valid():
        with transaction.atomic():
            request.user.save(update_fields=form.fields)
            tick(NAMES)
        look_again(str(request.user.pk))  # who is here may have changed, as others see it
        messages.success(request, _("Saved."))
        return redirect(request.path)
    return render(request, template, {"form": form}, status=422 if form.is_bound else 200)


@signed_in
@require_POST
def end_session(request, pk):
    session = get_object_or_404(UserSession, pk=pk, user=request.user)
    UserSessionsAdapter().end_sessions([session])
    return redirect("usersessions_list")


@never_cache
@signed_in
@require_safe
def data(request):
    return render(request, "people/data.html")


@never_cache
@signed_in
@require_safe
def download(request):
    name = f"parley-{request.user.username}-{timezone.now():%Y-%m-%d}.zip"
    return FileResponse(export(request.user), as_attachment=True, filename=name)


@never_cache
@signed_in
@reauthentication_required
@require_http_methods(["GET", "HEAD", "POST"])
def close(request):
    """Close the account: first the password or a code is asked once more."""
    form = ClosingForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        person = request.user
        try:
            person.close(comments_stay=form.cleaned_data["comments"] == "stay")
        except Refused as refusal:
            form.add_error(None, refusal)
        else:
            logout(request)
            messages.success(request, _("Your account is closed. Farewell."))
            return redirect("/")
    return render(request, "people/close.html", {"form": form}, status=422 if form.is_bound else 200)
