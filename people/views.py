from allauth.account.decorators import reauthentication_required
from allauth.account.views import LoginView
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

from live.presence.tracker import refresh_presence
from people.adapters import UserSessionsAdapter
from people.client_info import client_info, retry_after
from people.decorators import signed_in
from people.export import export
from people.forms import DeleteAccountForm, PreferencesForm, ProfileForm
from people.models import Person
from people.rates import TooFast
from people.rules import Refused
from people.stale_forms import answers_stale_forms, bind


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
.room-log:not(:has(#read-to ~ .line:not(.mine))) .fresh { display: none }
#announced-line.mine { display: none }
"""


@csrf_exempt
@require_POST
def language(request):
    """The choice in the footer, which is for the browser, and for the person if there is one.

    Without a token, for the pages of the signed-out are the same for all. The choice carries no authority.
    """
    code = request.POST.get("language")
    if request.user.is_authenticated and code in dict(settings.LANGUAGES) and code != request.user.language:
        request.user.language = code
        request.user.revise(["language"], client_info(request).address)
    return set_language(request)


class SignIn(LoginView):
    def form_invalid(self, form):
        """After too many attempts the answer says when to come again to programs, too."""
        response = super().form_invalid(form)
        refusal = next((error for error in form.non_field_errors().as_data() if isinstance(error, TooFast)), None)
        if refusal:
            response.status_code = refusal.status
        return retry_after(response, refusal)


@answers_stale_forms
@never_cache
@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request):
    return edit(request, ProfileForm, "people/profile.html")


@answers_stale_forms
@never_cache
@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request):
    return edit(request, PreferencesForm, "people/preferences.html")


@transaction.atomic
def edit(request, form_class, template):
    locked = Person.objects.select_for_update() if request.method == "POST" else Person.objects
    person = locked.get(pk=request.user.pk)  # not the one whom the page names: this may be refused
    form = bind(request, form_class, instance=person)
    valid = form.is_valid()
    status = form.status if form.is_bound else 200
    refusal = None
    if valid:
        try:
            if changed := [name for name in form.changed_data if name in form.cleaned_data]:
                person.revise(changed, client_info(request).address)
                # Who is here may have changed, as others see it.
                transaction.on_commit(lambda: refresh_presence(str(person.pk)), robust=True)
            messages.success(request, _("Saved."))
            return redirect(request.path)
        except TooFast as error:
            form.add_error(None, refusal := error)
            status = refusal.status
    return retry_after(render(request, template, {"form": form}, status=status), refusal)


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
@reauthentication_required
@require_safe
def download(request):
    """All that is kept of the person, after the password or a code was given once more: a session may be borrowed."""
    name = f"parley-{request.user.username}-{timezone.now():%Y-%m-%d}.zip"
    return FileResponse(export(request.user, client_info(request).address), as_attachment=True, filename=name)


@never_cache
@signed_in
@reauthentication_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete_account(request):
    """Close the account: first the password or a code is asked once more."""
    form = DeleteAccountForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        person = request.user
        try:
            person.delete_account(comments_stay=form.cleaned_data["comments"] == "stay")
        except Refused as refusal:
            form.add_error(None, refusal)
        else:
            logout(request)
            messages.success(request, _("Your account is closed. Farewell."))
            return redirect("/")
    return render(request, "people/delete_account.html", {"form": form}, status=422 if form.is_bound else 200)
