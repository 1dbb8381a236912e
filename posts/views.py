"""Each view finds, calls one verb, and answers: with a page, or to htmx with fragments."""

from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

import live
from inbox.models import Mute, read
from inbox.views import choose, is_reading
from live import fragments
from live.again import page_state
from people.decorators import SIGNED_OUT, signed_in
from people.errors import stay
from people.models import Person
from people.rules import Refused
from people.stale_forms import answers_stale_forms, bind, check_age
from people.visits import retry_after, visit
from posts import threads
from posts.forms import CommentForm, UnlockForm
from posts.models import FRONT, Comment, Post, Tag
from posts.streams import COMMENTS
from posts.structured import live_blog_posting


class SignedOut(Refused):
    status = 403


# Reading


@require_safe
def front(request):
    return listing(request, "posts/front.html", Post.objects.listed(), shown=[FRONT])


@require_safe
def tag(request, slug):
    found = get_object_or_404(Tag, slug=slug)
    return listing(request, "posts/tag.html", Post.objects.listed().filter(tags=found), tag=found)


@require_safe
def person(request, username):
    found = get_object_or_404(Person, username=username, is_active=True)
    posts = Post.objects.listed().filter(author=found)
    return listing(request, "posts/person.html", posts, person=found)


def listing(request, template, posts, shown=(), **context):
    """A page of cards of ``posts`` (QuerySet), which stays current if it shows streams (``shown``).

    Kept for all, it depends on what is published, and on each card's post for its number of comments.
    """

    def cards():
        keys = Paginator(posts.values_list("pk", flat=True), settings.POSTS_PER_PAGE)
        context["page"] = page = keys.get_page(request.GET.get("page"))
        shown = list(page.object_list)
        page.object_list = posts.filter(pk__in=shown)
        return [Post(pk=pk) for pk in shown]

    return live.page(request, template, lambda: context, shows=shown, depends=[FRONT, cards])


@require_safe
def post(request, slug):
    return show_post(request, readable_post(request, slug))


@never_cache
@require_POST
def unlock(request, slug):
    found = known_post(request, slug)
    form, refusal = UnlockForm(request.POST), None
    if form.is_valid():
        try:
            found.unlock(request.session, form.cleaned_data["password"], request.user, visit(request).address)
            return redirect(found)
        except Refused as error:
            form.add_error("password", refusal := error)
    context = {"post": found, "form": form}
    status = refusal.status if refusal else 422
    return retry_after(render(request, "posts/locked.html", context, status=status), refusal)


@signed_in
@require_POST
def mute(request, slug):
    """Hear no more, or again, of what is said here."""
    return choose(request, Mute, readable_post(request, slug))


def show_post(request, found, *, thread=None, form=None, status=200):
    """The page of the post ``found``, with all its comments or with one ``thread`` (a top-level Comment).

    ``found`` is one that the person may read.
    """
    if request.user.is_authenticated and is_reading(request):
        read(request.user, found)

    def context():
        post = Post.objects.select_related("author").get(pk=found.pk)
        before = None if thread else number(request.GET, "before")
        if thread:
            comments, more = [thread], False
        else:
            comments, more = threads.newest(post, before, request.user, page_state(request.GET))
        return {
            "post": post,
            "updates": post.updates.standing(),
            "comments": comments,
            "thread": thread,
            "before": before,
            "older": None if thread else older(post, comments, more),
            "form": form or CommentForm(),
            "structured": live_blog_posting(request, post) if post.coverage else None,
        }

    if found.password:
        return live.page(request, "posts/post.html", context, status=status)
    return live.page(request, "posts/post.html", context, shows=[found], depends=[found], status=status)


# Commenting


@answers_stale_forms
def comments(request, slug):
    return create_comment(request, slug) if request.method == "POST" else older_comments(request, slug)


@require_safe
def older_comments(request, slug):
    found = readable_post(request, slug)
    if not request.htmx:
        return show_post(request, found)
    comments, more = threads.newest(found, number(request.GET, "before"), request.user)
    rest = render_to_string("partials/older_comments.html", {"older": older(found, comments, more)})
    return HttpResponse(
        fragments.join(
            [
                *(COMMENTS.insert(one, ":is(#comments, #earlier-comments)") for one in comments),
                fragments.morph(rest, "#older-comments"),
            ]
        )
    )


def older(post, comments, more):
    """What ``partials/older_comments.html`` shows: which of ``comments`` has older ones (``more``, bool) before it."""
    oldest = threads.oldest_of(comments)
    return {"post": post, "before": oldest.pk if oldest and more else 0}


@require_POST
def create_comment(request, slug):
    found = readable_post(request, slug)
    form = bind(request, CommentForm)
    parent = None
    try:
        if not request.user.is_authenticated:
            raise SignedOut(SIGNED_OUT)
        if form.is_valid():
            parent = parent_of(request, found, form)
            if form.cleaned_data["parent"] and not parent:
                raise Refused(_("That comment was removed while you were writing."))
            words, key = form.cleaned_data["body"], form.cleaned_data["key"]
            said = found.comment(request.user, words, parent, key, visit(request))
            if said.state == said.State.REJECTED:
                raise Refused(_("Your comment was not accepted. A moderator can still put that right."))
            read(request.user, found)
            return answer(request, said, "" if parent else comment_form(request, found, CommentForm()))
    except Refused as refusal:
        form.add_error(None, refusal)
        return retry_after(refuse_comment(request, found, form, refusal.status), refusal)
    return refuse_comment(request, found, form)


def refuse_comment(request, found, form, status=422):
    """Say why beside the form (which has errors), where it stands; it keeps the text."""
    parent = parent_of(request, found, form)
    if request.htmx:
        if not parent and (pk := form.cleaned_data.get("parent")):
            parent = Comment(pk=pk)  # the form keeps its place, and tells nothing of what is not to be seen
        return HttpResponse(comment_form(request, found, form, parent), status=status)
    if parent:
        return render_comment_page(request, "posts/reply.html", parent, form, status)
    return show_post(request, found, form=form, status=status)


@require_safe
def comment(request, pk):
    found = visible_comment(request, pk)
    return show_post(request, found.post, thread=threads.branch(found, request.user, page_state(request.GET)))


@signed_in
@require_safe
def reply(request, pk):
    found = visible_comment(request, pk)
    form = CommentForm(initial={"parent": pk})
    if request.htmx:
        return HttpResponse(comment_form(request, found.post, form, found, autofocus=True))
    return render_comment_page(request, "posts/reply.html", found, form)


@require_safe
def replies(request, pk):
    found = visible_comment(request, pk)
    direct, more = threads.answers(found, number(request.GET, "after") or 0, request.user)
    if not request.htmx:
        found.replies, found.more_replies = direct, more
        found.last_reply = direct[-1].pk if more else None
        return show_post(request, found.post, thread=found)
    found.more_replies, found.last_reply = more, direct[-1].pk if more else None
    found.loaded = direct[-1].pk if direct else number(request.GET, "after") or 0
    rest = render_to_string("partials/more_replies.html", {"more_replies": found})
    return HttpResponse(
        fragments.join([*(COMMENTS.insert(one) for one in direct), fragments.morph(rest, f"#more-replies-{pk}")])
    )


@answers_stale_forms
@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def edit_comment(request, pk):
    found = own_comment(request, pk)
    form = bind(request, CommentForm, initial={"body": found.body})
    status, refusal = 200, None
    if request.method == "POST" and form.is_valid():
        try:
            found.revise(request.user, form.cleaned_data["body"], visit(request))
            return answer(request, found)
        except Refused as error:
            form.add_error(None, refusal := error)
    if form.errors:
        status = refusal.status if refusal else 422
    if request.htmx:
        context = {"comment": found, "form": form, "autofocus": not form.is_bound}
        response = render(request, "partials/edit_form.html", context, status=status)
    else:
        response = render_comment_page(request, "posts/edit.html", found, form, status)
    return retry_after(response, refusal)


@answers_stale_forms
@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def delete_comment(request, pk):
    found = own_comment(request, pk)
    refusal = None
    if request.method == "POST":
        try:
            check_age(request)
            found.remove(request.user)
            return answer(request, found)
        except Refused as error:
            refusal = error.messages[0]
    context = {"comment": found, "refusal": refusal, "post": found.post}
    page = "partials/delete_form.html" if request.htmx else "posts/delete.html"
    return render(request, page, context, status=422 if refusal else 200)


def answer(request, said, form=""):
    """What the poster of ``said`` (Comment) gets: the ``form`` (HTML) to go on with, and what their page misses.

    Of a post that they may not read that is nothing: moderators see its comments, and an attempt that is made again
    (``key``) may be one on a post that was locked or withdrawn meanwhile, which only the address of the comment names.
    """
    if not said.post.is_known_to(request.user) or is_locked(request, said.post):
        return HttpResponse(form) if request.htmx else redirect(said)
    waiting = COMMENTS.insert(said) if said.is_waiting else ""
    there = reverse("post", args=[said.post.slug]) + ("" if said.is_removed else f"#comment-{said.pk}")
    return live.answer(request, said.post, form + waiting, item=said, otherwise=there)


def comment_form(request, found, form, parent=None, *, autofocus=False):
    context = {"post": found, "form": form, "parent": parent, "autofocus": autofocus}
    return render_to_string("partials/comment_form.html", context, request)


def render_comment_page(request, template, found, form, status=200):
    context = {"comment": found, "post": found.post, "parent": found, "form": form}
    context["back"] = True  # a page of its own: its form is a plain one
    return render(request, template, context, status=status)


# Finding


def known_post(request, slug):
    """The post called ``slug``, of which no more than the title may be shown: it may be locked.

    One that may not be seen is as missing as one that never was: ``Http404``.
    """
    found = get_object_or_404(Post.objects.select_related("author"), slug=slug)
    if not found.is_known_to(request.user):
        raise Http404
    return found


def readable_post(request, slug):
    """The post called ``slug``, to be read by whoever asks. ``Http404`` as above; if it is locked, it is answered
    with the page that asks for the password, or with a notice to htmx, which leaves what was typed where it is.
    """
    found = known_post(request, slug)
    if is_locked(request, found):
        raise ImmediateHttpResponse(ask_for_password(request, found))
    return found


def is_locked(request, found):
    """Whether the password of ``found`` is to be given first (bool)."""
    return not (found.is_unlocked(request.session) or found.editable_by(request.user))


def ask_for_password(request, found):
    if request.htmx:
        return stay(_("This post asks for a password. Give it in another tab, then try again."), 403)
    context = {"post": found, "form": UnlockForm(), "typed": request.POST.get("body")}
    return render(request, "posts/locked.html", context, status=403 if request.method == "POST" else 200)


def visible_comment(request, pk):
    """The comment ``pk``, of a post that the person may read. One that they may not see is missing: ``Http404``."""
    seen = Comment.objects.seen_by(request.user).drawn().select_related("post__author")
    found = get_object_or_404(seen, pk=pk)
    readable_post(request, found.post.slug)
    return found


def own_comment(request, pk):
    found = visible_comment(request, pk)
    if found.author_id != request.user.pk:
        raise Http404
    return found


def parent_of(request, found, form):
    """The comment on the post ``found`` that ``form`` (looked through) answers; None if the person sees none such."""
    pk = form.cleaned_data.get("parent")
    if pk is None:
        return None
    parent = found.comments.drawn().filter(pk=pk)
    # Nearly all answers are to what everybody sees: only for others does it matter who asks, which takes queries.
    return parent.standing().first() or parent.seen_by(request.user).first()


def number(values, name):
    """The positive whole number that ``values`` (QueryDict) hold under ``name``, or None."""
    value = values.get(name, "")
    return int(value) if value.isdecimal() and len(value) < 19 else None
