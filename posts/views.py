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
from people.addresses import find as find_address
from people.addresses import lead_on
from people.client_info import client_info, retry_after
from people.decorators import SIGNED_OUT, signed_in
from people.errors import htmx_notice, typed
from people.models import Person
from people.rules import Refused
from people.stale_forms import answers_stale_forms, bind, check_age
from people.versioned_forms import opened
from posts import threads
from posts.forms import CommentForm, EditCommentForm, UnlockForm
from posts.models import FRONT, Comment, Post, Tag
from posts.streams import COMMENTS
from posts.structured import live_blog_posting


class SignedOut(Refused):
    status = 403


class Withdrawn(Refused, Http404):
    status = 404


# Reading


@require_safe
def front(request):
    return listing(request, "posts/front.html", Post.objects.listed(), shown=[FRONT])


@require_safe
def tag(request, slug):
    tag = get_object_or_404(Tag, slug=slug)
    return listing(request, "posts/tag.html", Post.objects.listed().filter(tags=tag), tag=tag)


@require_safe
def person(request, username):
    person = find_address(Person.objects.filter(is_active=True), username=username)
    lead_on(request, username=person.username)
    posts = Post.objects.listed().filter(author=person)
    return listing(request, "posts/person.html", posts, person=person)


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
    post = known_post(request, slug)
    form, refusal = UnlockForm(request.POST), None
    if form.is_valid():
        try:
            post.unlock(request.session, form.cleaned_data["password"], request.user, client_info(request).address)
            return redirect(post)
        except Refused as error:
            form.add_error("password", refusal := error)
    context = {"post": post, "form": form}
    status = refusal.status if refusal else 422
    return retry_after(render(request, "posts/locked.html", context, status=status), refusal)


@signed_in
@require_POST
def mute(request, slug):
    """Hear no more, or again, of what is said here."""
    return choose(request, Mute, readable_post(request, slug))


def show_post(request, post, *, thread=None, form=None, status=200):
    """The page of ``post``, which the person may read: all its comments, or one ``thread`` (a top-level Comment)."""
    if request.user.is_authenticated and is_reading(request):
        read(request.user, post)

    def context():
        fresh = Post.objects.select_related("author").get(pk=post.pk)
        before = None if thread else number(request.GET, "before")
        if thread:
            comments, more = [thread], False
        else:
            comments, more = threads.newest(fresh, before, request.user, page_state(request.GET))
        return {
            "post": fresh,
            "updates": fresh.updates.visible(),
            "comments": comments,
            "thread": thread,
            "before": before,
            "older": None if thread else older(fresh, comments, more),
            "form": form or CommentForm(),
            "structured": live_blog_posting(request, fresh) if fresh.coverage else None,
        }

    if post.password:
        return live.page(request, "posts/post.html", context, status=status)
    return live.page(request, "posts/post.html", context, shows=[post], depends=[post], status=status)


# Commenting


@answers_stale_forms
def comments(request, slug):
    return create_comment(request, slug) if request.method == "POST" else older_comments(request, slug)


@require_safe
def older_comments(request, slug):
    post = readable_post(request, slug)
    if not request.htmx:
        return show_post(request, post)
    comments, more = threads.newest(post, number(request.GET, "before"), request.user)
    rest = render_to_string("partials/posts/older_comments.html", {"older": older(post, comments, more)})
    return HttpResponse(
        fragments.join(
            [
                *(COMMENTS.insert(comment, ":is(#comments, #earlier-comments)") for comment in comments),
                fragments.morph(rest, "#older-comments"),
            ]
        )
    )


def older(post, comments, more):
    """What ``partials/posts/older_comments.html`` shows: which of ``comments`` has older ones (``more``, bool) before
    it.
    """
    oldest = threads.oldest_of(comments)
    return {"post": post, "before": oldest.pk if oldest and more else 0}


@require_POST
def create_comment(request, slug):
    post = readable_post(request, slug)
    form = bind(request, CommentForm)
    parent = None
    try:
        if not request.user.is_authenticated:
            raise SignedOut(SIGNED_OUT)
        if form.is_valid():
            parent = parent_of(request, post, form)
            if form.cleaned_data["parent"] and not parent:
                raise Refused(_("That comment was removed while you were writing."))
            words, key = form.cleaned_data["body"], form.cleaned_data["key"]
            comment = post.comment(request.user, words, parent, key, client_info(request))
            if comment.state == comment.State.REJECTED:
                raise Refused(_("Your comment was not accepted. A moderator can still put that right."))
            read(request.user, post)
            return answer(request, comment, "" if parent else comment_form(request, post, CommentForm()))
    except Refused as refusal:
        form.add_error(None, refusal)
        return retry_after(refuse_comment(request, post, form, refusal.status), refusal)
    return refuse_comment(request, post, form)


def refuse_comment(request, post, form, status=422):
    """Say why beside the form (which has errors), where it stands; it keeps the text."""
    parent = parent_of(request, post, form)
    if request.htmx:
        if not parent and (pk := form.cleaned_data.get("parent")):
            parent = Comment(pk=pk)  # the form keeps its place, and tells nothing of what is not to be seen
        return HttpResponse(comment_form(request, post, form, parent), status=status)
    if parent:
        return render_comment_page(request, "posts/reply.html", parent, form, status)
    return show_post(request, post, form=form, status=status)


@require_safe
def comment(request, pk):
    comment = visible_comment(request, pk)
    return show_post(request, comment.post, thread=threads.branch(comment, request.user, page_state(request.GET)))


@signed_in
@require_safe
def reply(request, pk):
    comment = visible_comment(request, pk)
    form = CommentForm(initial={"parent": pk})
    if request.htmx:
        return HttpResponse(comment_form(request, comment.post, form, comment, autofocus=True))
    return render_comment_page(request, "posts/reply.html", comment, form)


@require_safe
def replies(request, pk):
    comment = visible_comment(request, pk)
    direct, more = threads.answers(comment, number(request.GET, "after") or 0, request.user)
    if not request.htmx:
        comment.replies, comment.more_replies = direct, more
        comment.last_reply = direct[-1].pk if more else None
        return show_post(request, comment.post, thread=comment)
    comment.more_replies, comment.last_reply = more, direct[-1].pk if more else None
    comment.loaded = direct[-1].pk if direct else number(request.GET, "after") or 0
    rest = render_to_string("partials/posts/more_replies.html", {"more_replies": comment})
    return HttpResponse(
        fragments.join([*(COMMENTS.insert(reply) for reply in direct), fragments.morph(rest, f"#more-replies-{pk}")])
    )


@answers_stale_forms
@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def edit_comment(request, pk):
    comment = own_comment(request, pk)
    form = bind(request, EditCommentForm, initial=opened(comment.body))
    status, refusal = 200, None
    if request.method == "POST" and form.is_valid():
        try:
            if not form.takes_stored:
                words, version = form.cleaned_data["body"], form.cleaned_data["version"]
                comment.revise(request.user, words, client_info(request), version)
            return answer(request, comment)
        except Refused as error:
            form.refuse(refusal := error)
    if form.errors:
        status = refusal.status if refusal else 422
    if request.htmx:
        context = {"comment": comment, "form": form, "autofocus": not form.is_bound}
        response = render(request, "partials/posts/edit_form.html", context, status=status)
    else:
        response = render_comment_page(request, "posts/edit.html", comment, form, status)
    return retry_after(response, refusal)


@answers_stale_forms
@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def delete_comment(request, pk):
    comment = own_comment(request, pk)
    refusal = None
    if request.method == "POST":
        try:
            check_age(request)
            comment.remove(request.user)
            return answer(request, comment)
        except Refused as error:
            refusal = error.messages[0]
    context = {"comment": comment, "refusal": refusal, "post": comment.post}
    page = "partials/posts/delete_form.html" if request.htmx else "posts/delete.html"
    return render(request, page, context, status=422 if refusal else 200)


def answer(request, comment, form=""):
    """What the poster of ``comment`` (Comment) gets: the ``form`` (HTML) to go on with, and what their page misses.

    Of a post that they may not read that is nothing: moderators see its comments, and an attempt that is made again
    (``key``) may be one on a post that was locked or withdrawn meanwhile, which only the address of the comment names.
    """
    if not comment.post.is_known_to(request.user) or is_locked(request, comment.post):
        return HttpResponse(form) if request.htmx else redirect(comment)
    waiting = COMMENTS.insert(comment) if comment.is_waiting else ""
    there = reverse("post", args=[comment.post.slug]) + ("" if comment.is_removed else f"#comment-{comment.pk}")
    return live.answer(request, comment.post, form + waiting, item=comment, otherwise=there)


def comment_form(request, post, form, parent=None, *, autofocus=False):
    context = {"post": post, "form": form, "parent": parent, "autofocus": autofocus}
    return render_to_string("partials/posts/comment_form.html", context, request)


def render_comment_page(request, template, comment, form, status=200):
    context = {"comment": comment, "post": comment.post, "parent": comment, "form": form}
    context["back"] = True  # a page of its own: its form is a plain one
    return render(request, template, context, status=status)


# Finding


def known_post(request, slug):
    """The post called ``slug``, of which no more than the title may be shown: it may be locked.

    One that may not be seen is as missing as one that never was: ``Http404``.
    """
    post = find_address(Post.objects.select_related("author"), slug=slug)
    if not post.is_known_to(request.user):
        if request.method == "POST" and post.born:  # it was public: its open pages know of it
            raise Withdrawn(_("This post has been withdrawn."))
        raise Http404
    lead_on(request, slug=post.slug)
    return post


def readable_post(request, slug):
    """The post called ``slug``, to be read by whoever asks. ``Http404`` as above; if it is locked, it is answered
    with the page that asks for the password, or with a notice to htmx, which leaves what was typed where it is.
    """
    post = known_post(request, slug)
    if is_locked(request, post):
        raise ImmediateHttpResponse(ask_for_password(request, post))
    return post


def is_locked(request, post):
    """Whether the password of ``post`` is to be given first (bool)."""
    return not (post.is_unlocked(request.session) or post.editable_by(request.user))


def ask_for_password(request, post):
    if request.htmx:
        return htmx_notice(_("This post asks for a password. Give it in another tab, then try again."), 403)
    context = {"post": post, "form": UnlockForm(), "typed": typed(request)}
    return render(request, "posts/locked.html", context, status=403 if request.method == "POST" else 200)


def visible_comment(request, pk):
    """The comment ``pk``, of a post that the person may read. One that they may not see is missing: ``Http404``."""
    seen = Comment.objects.seen_by(request.user).with_related().select_related("post__author")
    comment = get_object_or_404(seen, pk=pk)
    readable_post(request, comment.post.slug)
    return comment


def own_comment(request, pk):
    comment = visible_comment(request, pk)
    if comment.author_id != request.user.pk:
        raise Http404
    return comment


def parent_of(request, post, form):
    """The comment on ``post`` that ``form`` (looked through) answers; None if the person sees none such."""
    pk = form.cleaned_data.get("parent")
    if pk is None:
        return None
    parent = post.comments.with_related().filter(pk=pk)
    # Nearly all answers are to what everybody sees: only for others does it matter who asks, which takes queries.
    return parent.visible().first() or parent.seen_by(request.user).first()


def number(values, name):
    """The positive whole number that ``values`` (QueryDict) hold under ``name``, or None."""
    value = values.get(name, "")
    return int(value) if value.isdecimal() and len(value) < 19 else None
