import re

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

import live
from inbox.models import Announcement, Dismissal, Follow, Ignore, Mute
from inbox.models.notification import knows, read_all
from inbox.templatetags.inbox import subscription_button
from live import fragments
from live.streams import find
from people.addresses import find as find_address
from people.client_info import client_info
from people.decorators import signed_in
from people.mentions import UNFINISHED, called
from people.models import Person
from people.rates import is_hurried

CHOICES = 50  # of each kind that the inbox shows
SUGGESTIONS = 8  # that a completion offers
FIELD = re.compile(r"[a-z0-9-]{1,40}")  # the id of a text area, or of a line
COOKIE = "dismissed"  # of the signed-out: the announcements they do not want to see, as "3.5"
COOKIES = 20  # that we remember


# The inbox


@never_cache
@signed_in
@require_safe
def inbox(request):
    def context():
        rows = Paginator(request.user.notifications.visible(), settings.NOTIFICATIONS_PER_PAGE)
        page = rows.get_page(request.GET.get("page"))
        return {"page": page, "notifications": page.object_list.with_related()} | subscriptions_of(request.user)

    return live.page(request, "inbox/inbox.html", context)


def subscriptions_of(person):
    """What ``person`` chose lately, to look through and take back."""
    follows = Follow.objects.filter(person=person).select_related("author").order_by("-pk")
    ignores = Ignore.objects.filter(person=person).select_related("ignored").order_by("-pk")
    mutes = Mute.objects.filter(person=person).prefetch_related("thread").order_by("-pk")
    threads = [mute.thread for mute in mutes[:CHOICES] if mute.thread and knows(person, mute.thread)]
    return {
        "followed": [follow.author for follow in follows[:CHOICES]],
        "ignored": [ignore.ignored for ignore in ignores[:CHOICES]],
        "muted": threads,
    }


@never_cache
@signed_in
@require_safe
def notification(request, pk):
    """Go to what a row is about: whoever follows it has read it. A browser that only looks ahead has not."""
    row = get_object_or_404(request.user.notifications.visible(), pk=pk)
    if is_reading(request):
        row.read()
    return redirect(row.target)


@signed_in
@require_POST
def read_one(request, pk):
    get_object_or_404(request.user.notifications.visible(), pk=pk).read()
    return answer(request)


@signed_in
@require_POST
def unread_one(request, pk):
    get_object_or_404(request.user.notifications.visible(), pk=pk).unread(client_info(request).address)
    return answer(request)


@signed_in
@require_POST
def read_everything(request):
    read_all(request.user)
    return answer(request)


def answer(request):
    """To htmx, what the page misses of its person's stream; to a plain form, the inbox."""
    return live.answer(request, request.user, otherwise=back(request, "inbox"))


def is_reading(request):
    """Whether somebody opens this page, and not a browser in case that they will."""
    purpose = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    return request.method == "GET" and "prefetch" not in purpose


@require_safe
@cache_control(private=True, max_age=3600)
def title(request):
    """The title of a tab, with the number of what is unread: said by the page that asks, which knows both.

    The fragment that brings a new number is the same for all tabs of a person, and each has a title of its own. It
    asks nobody and no database, for it is asked by every tab at every change.
    """
    title, unread = request.GET.get("title", "")[:300], request.GET.get("unread", "")
    unread = int(unread) if unread.isdecimal() and len(unread) < 10 else 0
    return render(None, "inbox/title.html", {"title": title, "unread": unread})


# Choices


@signed_in
@require_POST
def follow(request, username):
    return choose(request, Follow, find_address(Person.objects.filter(is_active=True), username=username))


@signed_in
@require_POST
def ignore(request, username):
    return choose(request, Ignore, find_address(Person.objects, username=username))


def choose(request, model, thing):
    """Make the choice ``model`` of ``thing``, or take it back (``on`` says which), and show the button that is left."""
    if thing != request.user:
        model.make(request.user, thing, request.POST.get("on") == "1", client_info(request).address)
    if not request.htmx:
        return redirect(back(request, thing))
    context = subscription_button({"user": request.user}, model, thing, request.path)
    return HttpResponse(render_to_string("partials/inbox/subscription_button.html", context, request))


# Announcements


@csrf_exempt  # the pages of the signed-out hold no token; a session's cookie does not come with others' forms
@require_POST
def dismiss(request, pk):
    """Show an announcement no more: to the signed-in by a row, to others by a cookie."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise PermissionDenied
    announcement = get_object_or_404(Announcement, pk=pk)
    if request.user.is_authenticated:
        with live.change(request.user) as now:
            _row, is_new = Dismissal.objects.get_or_create(person=request.user, announcement=announcement)
            if not is_new:
                now.undo()
    removal = fragments.remove(f"#announcement-{pk}")
    response = HttpResponse(removal) if request.htmx else redirect(back(request, "/"))
    if not request.user.is_authenticated:
        keys = [*dismissed_by(request), announcement.pk][-COOKIES:]
        max_age = max(0, int((announcement.ends - timezone.now()).total_seconds()))
        options = {"max_age": max_age, "httponly": True, "secure": request.is_secure(), "samesite": "Lax"}
        response.set_cookie(COOKIE, ".".join(map(str, keys)), **options)
    return response


@never_cache
@require_safe
def dismissed_css(request):
    """Hides from a signed-out reader what they dismissed: so the page itself is the same for all, and kept."""
    rules = "".join(f"#announcement-{key} {{ display: none }}\n" for key in dismissed_by(request))
    return HttpResponse(rules, content_type="text/css")


def dismissed_by(request):
    keys = request.COOKIES.get(COOKIE, "").split(".")[:COOKIES]
    return [int(key) for key in keys if key.isdecimal() and len(key) < 19]


# Completion


@require_POST
def complete(request):
    """Whom a name that is begun at the end of a text may mean; or, one being chosen, the text with it.

    The text comes in a POST and not in an address: a draft is nobody's business, and addresses end up in logs.
    While no name is begun this asks no database.
    """
    body, field, thread = request.POST.get("body", ""), request.GET.get("field", ""), request.GET.get("thread", "")
    if not FIELD.fullmatch(field):
        raise Http404
    unfinished = UNFINISHED.search(body)
    context = {"field": field, "thread": thread, "is_line": "is_line" in request.GET, "people": []}
    if unfinished and request.user.is_authenticated:
        if chosen := request.POST.get("name"):
            context |= {"body": f"{body[: unfinished.start()]}@{chosen} ", "chosen": True}
        elif is_hurried("complete", request.user):
            return HttpResponse(status=429)  # the page stays as it is, and the next letter asks again
        else:
            context["people"] = people_called(unfinished[1], request.user, thread)
    if not unfinished and "offering" not in request.POST:
        return HttpResponse(status=204)  # nothing stood there, and nothing shall
    return render(request, "partials/inbox/completion.html", context)


def people_called(prefix, reader, thread):
    """Up to eight people whose name begins with ``prefix`` (str), those of ``thread`` (a stream's name) first."""
    everybody = called(prefix).exclude(pk=reader.pk)
    stream = find(thread)
    here = []
    if stream and hasattr(stream.thing, "speakers") and stream.allows(reader):
        here = list(stream.thing.speakers(everybody)[:SUGGESTIONS])
    return [*here, *everybody.exclude(pk__in=[person.pk for person in here])[: SUGGESTIONS - len(here)]]


def back(request, otherwise):
    """Where a plain form came from, if that is a page of ours; else ``otherwise``, as ``redirect`` takes it."""
    came_from = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure())
    return came_from if ours and "://" in came_from else otherwise  # "x" alone ``redirect`` takes for a view's name
