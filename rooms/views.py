"""Each view finds, calls one verb, and answers: with a page, or to htmx with fragments."""

import re
from functools import partial

from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

import live
from live import fragments
from live.again import page_state
from live.cursors import Cursor, seen
from live.deltas import delta
from live.streams import find, name_of
from people.addresses import find as find_address
from people.addresses import lead_on
from people.client_info import client_info, retry_after
from people.decorators import SIGNED_OUT, signed_in
from people.errors import htmx_notice, typed
from people.models import Person
from people.rules import Refused
from people.stale_forms import answers_stale_forms, bind, is_stale
from people.versioned_forms import EditForm, opened
from rooms.composer import composer, live_again, longer_form, next_line, refused, say_form, with_new_token
from rooms.forms import EditMessageForm, MessageForm, NewConversationForm
from rooms.models import OPEN_ROOMS, Block, Membership, Message, MyRooms, Room
from rooms.streams import MESSAGES

EARLIER = 100  # messages on a page of earlier ones


class SignedOut(Refused):
    status = 403


class Left(Refused, Http404):
    status = 404


# Lists


@require_safe
def rooms(request):
    own = [MyRooms(request.user.pk)] if request.user.is_authenticated else []

    def context():
        mine = {}
        if own:
            memberships = request.user.memberships.current().exclude(room__kind=Room.Kind.DIRECT)
            mine = {row.room_id: row for row in memberships.listed()}
        unjoined = Room.objects.public().exclude(pk__in=mine)
        rows = [*mine.values(), *(Membership(room=room, read=room.last) for room in unjoined)]
        return {"rows": sorted(rows, key=lambda row: row.room_id)}

    return live.page(request, "rooms/rooms.html", context, shows=[OPEN_ROOMS, *own])


@answers_stale_forms
@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def conversations(request):
    form = bind(request, NewConversationForm)
    if request.method == "POST" and form.is_valid():
        names = re.split(r"[\s,，、;]+", form.cleaned_data["people"].replace("@", "").strip())
        try:
            return redirect("conversation", ",".join(person.username for person in people_named(request, names)))
        except Http404:
            form.add_error(None, _("There is nobody of that name."))
    rows = request.user.memberships.current().filter(room__kind=Room.Kind.DIRECT).listed().order_by("-room__last")
    shows, status = [MyRooms(request.user.pk)], 422 if form.errors else 200
    context = {"rows": rows[:200], "form": form}  # the rows are read when the template shows them
    return live.page(request, "rooms/conversations.html", lambda: context, shows=shows, status=status)


# Reading


@require_safe
def room(request, slug):
    rooms = Room.objects.exclude(kind=Room.Kind.DIRECT)
    room = readable(request, rooms, pk=find_address(rooms, slug=slug).pk)
    lead_on(request, slug=room.slug)
    return show_room(request, room)


@answers_stale_forms
@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def conversation(request, names):
    others = people_named(request, names.split(","))
    room = conversation_with(request, others)
    if request.method != "POST":
        return show_room(request, room, others=others)
    return take(request, room, others, partial(Room.write, request.user, others))


def show_room(request, room, *, others=(), form=None, status=200):
    """The page of ``room``, which is not stored yet if nobody said anything to ``others`` (list of Person).

    With ``before`` (a message's id) in the address it shows what was said before: nothing new is added to that.
    """
    shows = [room] if room.pk else [MyRooms(request.user.pk)]  # which tells of a conversation that the other begins

    def theme():
        if room.pk:
            room.refresh_from_db()
        return [room.theme] if room.theme else []

    def context():
        return what_is_said(request, room, others, form or MessageForm())

    depends = [*([room] if room.pk else []), theme]
    return live.page(request, "rooms/room.html", context, shows=shows, depends=depends, status=status)


def what_is_said(request, found, others, form):
    """What the page of the room ``found`` shows (dict); as ``show_room``."""
    before = number(request.GET, "before")
    me = request.user if request.user.is_authenticated and found.pk else None
    membership = me and found.memberships.current().filter(person=me).first()
    said = found.messages.visible().with_related() if found.pk else Message.objects.none()
    if before:
        said = said.filter(pk__lt=before)
    state = page_state(request.GET)
    most = EARLIER if before else settings.MESSAGES_AT_FIRST
    if state.upto is not None:
        most = max(most, said.filter(pk__gte=state.upto)[: settings.MESSAGES_IN_PAGE].count())
    lines = said.newest(most + 1)
    more = len(lines) > most
    lines = lines[more:]
    upto = lines[0].pk if lines else 0
    lines = with_places(found, lines, state.open)
    unread = [one.pk for one in lines if membership and membership.read and one.pk > membership.read]
    read = unread and membership.read
    names = ",".join(one.username for one in others)
    action = request.path if others else f"/rooms/{found.pk}/messages/"
    context = {
        "room": found,
        "title": ", ".join(map(str, others)) or str(found),
        "address": request.path,
        "direct": found.is_direct,
        "names": names,
        "lines": lines,
        "more": upto if more and not before else 0,
        "upto": upto,
        "earlier": (upto if more else 0) if before else found.pk and found.floor,
        "before": before,
        "first_unread": unread[0] if unread else None,
        "marker": f"{read or (lines[-1].pk if lines else 0)}.5" if me and not before else "",
        "membership": membership,
        "involvements": Membership.Involvement.choices,
        "leavable": found.pk and len(others) > 1,
        "blockable": len(others) == 1,
        "blocked": len(others) == 1 and request.user.blocks.filter(whom=others[0]).exists(),
        "whispers": Cursor(name_of(found), 0) if me and not before else None,
    }
    if request.user.is_authenticated and not before:
        context |= composer(request, found, action, form)
    return context


def with_places(room, lines, ids):
    """The ``lines`` (list of Message) of ``room``, and at their places those of ``ids`` in which a form is open.

    Of one that was removed only the place is shown.
    """
    missing = ids - {line.pk for line in lines} if room.pk else ()
    places = room.messages.with_related().filter(pk__in=missing) if missing else []
    return sorted([*lines, *places], key=lambda line: line.pk)


@require_safe
def message(request, pk):
    """Where a message stands: in the room as it is now, or on a page of earlier lines."""
    message = readable_message(request, pk)
    later = message.room.messages.visible().filter(pk__gt=pk)[: settings.MESSAGES_AT_FIRST].count()
    earlier = f"?before={pk + 1}" if later == settings.MESSAGES_AT_FIRST else ""
    return redirect(f"{address_for(request, message.room)}{earlier}#message-{pk}")


@answers_stale_forms
def messages(request, pk):
    return create_message(request, pk) if request.method == "POST" else older_messages(request, pk)


@require_safe
def older_messages(request, pk):
    room = readable(request, pk=pk)
    before = number(request.GET, "before") or 0
    if not request.htmx:
        return redirect(f"{address_for(request, room)}?before={before}")
    older = room.messages.visible().with_related().filter(pk__lt=before, pk__gte=room.floor)
    older = older.newest(settings.MESSAGES_AT_FIRST + 1)
    more = len(older) > settings.MESSAGES_AT_FIRST
    older = older[more:]
    upto = render_to_string("partials/upto.html", {"upto": older[0].pk if older else before})
    return HttpResponse(
        fragments.join(
            [
                fragments.remove(f"#older-{before}"),
                *(MESSAGES.insert(message, older=more and message is older[0]) for message in older),
                fragments.morph(upto, "#upto"),
            ]
        )
    )


@answers_stale_forms
@signed_in
@require_POST
def read(request, pk):
    """The person's page shows the newest message: they have read so far.

    Nothing is said to a page that got old or whose person was taken out meanwhile, nor of a room that never was.
    """
    try:
        room = readable(request, pk=pk)
    except Http404:
        room = None
    if not room or is_stale(request):
        return HttpResponse(status=204)
    upto = min(number(request.POST, "upto") or 0, room.last)
    member = room.admit(request.user) if room.kind == Room.Kind.OPEN else room.memberships.get(person=request.user)
    member.read_up_to(upto)
    if not request.htmx:
        return redirect(address_for(request, room))
    marker = f'<i id="read-to" data-key="{upto}.5"></i>'
    return HttpResponse(fragments.remove("#read-to") + fragments.upsert(marker, "#messages"))


# Talking


@require_POST
def create_message(request, pk):
    room = readable(request, pk=pk)
    return take(request, room, others_in(request, room), partial(room.say, request.user))


def take(request, room, others, say):
    """Let the person ``say(body, key, address)`` what they sent to ``room``, and answer.

    Refused, it is shown with the reason: to htmx the form alone, else the whole page. A page that was opened before the
    conversation had begun gets what it lacks.
    """
    form, status, refusal = bind(request, MessageForm), 422, None
    try:
        if not request.user.is_authenticated:
            raise SignedOut(SIGNED_OUT)
        if form.is_valid():
            message = say(form.cleaned_data["body"], form.cleaned_data["key"], client_info(request).address)
            if form.is_long:
                rest = say_form(request, message.room, request.path, longer_form(), autofocus=True)
            else:
                rest = fragments.replace(next_line(request, message.room, request.path), "#next-line")
            if "again" in request.POST:  # it may have been refused because one was signed out
                rest = render_to_string("partials/focus.html") + rest + live_again(request, message.room)
            if request.htmx and room.is_direct and seen(request.POST, message.room) is None:
                # The page is older than the conversation.
                rest += live_again(request, message.room) + delta(find(name_of(message.room)), 0)[0]
                rest += fragments.replace(
                    render_to_string("partials/rooms/newest.html", {"newest": message.room}), "#end-marker"
                )
                return HttpResponse(rest)
            return answer(request, message, rest)
    except Refused as error:
        form.add_error(None, refusal := error)
        status = refusal.status
    if request.htmx:
        line = say_form(request, room, request.path, form, autofocus=form.is_long)
        response = refused(line + with_new_token(request, room) if is_stale(request) else line, status)
    else:
        response = show_room(request, room, others=others, form=form, status=status)
    return retry_after(response, refusal)


def answer(request, message, form=""):
    """What the author of ``message`` (Message) gets: the ``form`` (HTML) to go on with, and what their page misses."""
    there = address_for(request, message.room) + ("" if message.removed_at else f"#message-{message.pk}")
    return live.answer(request, message.room, form, item=message, otherwise=there)


@answers_stale_forms
@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def edit_message(request, pk):
    message = own_message(request, pk)
    form = bind(request, EditMessageForm, initial=opened(message.body))

    def edit():
        if not form.takes_stored:
            words, version = form.cleaned_data["body"], form.cleaned_data["version"]
            message.revise(request.user, words, client_info(request).address, version)

    return change(request, "edit", message, form, edit)


@answers_stale_forms
@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def delete_message(request, pk):
    message = own_message(request, pk)
    form = bind(request, MessageForm)
    return change(request, "delete", message, form, lambda: message.remove(request.user))


TITLES = {
    "edit": gettext_lazy("Edit your message"),
    "delete": gettext_lazy("Delete your message"),
}


def change(request, verb, message, form, act):
    """Ask with a form whether to ``act()`` the ``verb`` (str) to ``message``, do it, and answer."""
    late, refusal = "", None
    try:
        message.check_can_change(verb)
        if form.is_bound and form.is_valid():
            act()
            return answer(request, message, render_to_string("partials/focus.html"))
    except Refused as error:
        refusal = error if form.is_bound else None
        if isinstance(form, EditForm) and form.is_bound:
            form.refuse(error)
        elif form.is_bound:
            form.add_error(None, error)
        else:
            late = error.messages[0]
    context = {
        "late": late,
        "verb": verb,
        "message": message,
        "form": form,
        "action": request.path,
        "autofocus": request.htmx or not form.is_bound,
    }
    status = refusal.status if refusal else 422 if form.errors else 200
    if request.htmx:
        return retry_after(render(request, "partials/rooms/message_form.html", context, status=status), refusal)
    context |= {"title": TITLES[verb], "back": address_for(request, message.room)}
    return retry_after(render(request, "rooms/message.html", context, status=status), refusal)


# A member's choices


@signed_in
@require_POST
def involvement(request, pk):
    room = readable(request, pk=pk)
    chosen = request.POST.get("involvement")
    if chosen not in Membership.Involvement.values:
        raise Http404
    get_object_or_404(room.memberships.current(), person=request.user).listen(chosen, client_info(request).address)
    return redirect(address_for(request, room))


@signed_in
@require_POST
def block(request, names):
    [other] = people_named(request, [names])
    if request.POST.get("blocked") == "no":
        request.user.blocks.filter(whom=other).delete()
    else:
        Block.objects.get_or_create(by=request.user, whom=other)
    return redirect("conversation", other.username)


@signed_in
@require_POST
def leave(request, names):
    """Leave a conversation of several people, or come back to it; that of two can be blocked."""
    others = people_named(request, names.split(","))
    membership = get_object_or_404(Membership, room=Room.between(request.user, others), person=request.user)
    if request.POST.get("left") == "no":
        membership.room.admit(request.user)
        return redirect("conversation", names)
    if len(others) < 2:
        raise Http404
    if not membership.left_at:
        membership.leave(client_info(request).address)
    return redirect("conversations")


# Finding


def readable(request, among=Room.objects, **which):
    """The room ``which``. One that may not be read is as missing as one that never was: ``Http404``."""
    room = get_object_or_404(among, **which)
    if not room.readable_by(request.user):
        if request.method == "POST" and room.memberships.filter(person_id=request.user.pk).exists():
            raise Left(_("You are not a member of this room any more."))
        raise Http404
    return room


def readable_message(request, pk):
    message = get_object_or_404(Message.objects.visible().with_related().select_related("room"), pk=pk)
    readable(request, pk=message.room_id)
    return message


def own_message(request, pk):
    message = readable_message(request, pk)
    if message.author_id != request.user.pk:
        raise Http404
    return message


def people_named(request, names):
    """The people called ``names`` (list of str), without the person who asks. ``Http404`` if one is missing.

    Some may be gone: what was said to them can still be read.
    """
    usernames = set(names) - {"", request.user.username}
    people = list(Person.objects.filter(username__in=usernames).order_by("pk"))
    former = usernames - {person.username for person in people}
    if former:
        people += [find_address(Person.objects, username=name) for name in former]
        lead_on(request, names=",".join(person.username for person in people))
    if not usernames or len(people) != len(usernames):
        raise Http404
    return people


def conversation_with(request, others):
    """The conversation of the person who asks with ``others`` (list of Person), which is not stored if none began.

    One that they left is answered with the way back.
    """
    room = Room.between(request.user, others)
    if not room and not all(person.is_active for person in others):
        raise Http404
    if room and not room.readable_by(request.user):
        raise ImmediateHttpResponse(offer_return(request, others))
    return room or Room(kind=Room.Kind.DIRECT, member_key=Room.key_of(request.user, others))


def offer_return(request, others):
    """The way back to a conversation with ``others`` (list of Person) that was left; what was typed is kept."""
    if request.htmx:
        return htmx_notice(_("You have left this conversation."), 403)
    names = ",".join(person.username for person in others)
    context = {"title": ", ".join(map(str, others)), "names": names, "typed": typed(request)}
    return render(request, "rooms/left.html", context, status=403 if request.method == "POST" else 200)


def others_in(request, room):
    if not room.is_direct:
        return []
    return room.memberships.select_related("person").get(person_id=request.user.pk).others


def address_for(request, room):
    """Where the person finds the room: of a conversation the address names the others."""
    if not room.is_direct:
        return room.get_absolute_url()
    return room.memberships.listed().get(person_id=request.user.pk).get_absolute_url()


def number(values, name):
    """The positive whole number that ``values`` (QueryDict) hold under ``name``, or None."""
    value = values.get(name, "")
    return int(value) if value.isdecimal() and len(value) < 19 else None
