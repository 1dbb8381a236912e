"""Moderation in place: a menu below each comment for moderators, and for everybody a way to tell them."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from people.client_info import client_info, retry_after
from people.decorators import signed_in
from people.rules import Refused
from people.stale_forms import answers_stale_forms, check_age
from posts.models import Comment
from posts.models.moderation import moderates
from posts.views import answer, known_post, visible_comment

VERBS = {
    "approve": lambda comment, by, said: comment.approve(by),
    "reject": lambda comment, by, said: comment.reject(by, said.get("reason", "")),
    "remove": lambda comment, by, said: comment.remove(by, said.get("reason", "")),
    "restore": lambda comment, by, said: comment.restore(by),
    "keep": lambda comment, by, said: comment.keep(by),
    "ban": lambda comment, by, said: comment.ban_author(by, said.get("reason", ""), "purge" in said),
}
DONE = {
    "keep": gettext_lazy("The comment stays."),
    "ban": gettext_lazy("The account is closed."),
}


@signed_in
@require_safe
def menu(request, pk):
    return show_menu(request, moderated_comment(request, pk))


@answers_stale_forms
@signed_in
@require_POST
def moderate(request, pk, verb):
    """Do what a button of the menu says. ``verb`` is one of ``VERBS``."""
    comment = moderated_comment(request, pk)
    try:
        check_age(request)
        VERBS[verb](comment, request.user, request.POST)
    except Refused as refusal:
        return show_menu(request, comment, refused=verb, refusal=refusal.messages[0], status=refusal.status)
    return done(request, comment, DONE.get(verb))


def done(request, comment, message):
    """The answer to what was done with ``comment``; what cannot be seen on the page is ``message`` (str)."""
    if message and not request.htmx:
        messages.success(request, message)
    return answer(
        request, comment, render_to_string("partials/confirmation.html", {"said": message}) if message else ""
    )


def show_menu(request, comment, status=200, **refusal):
    """The menu of ``comment``; ``refusal`` says what was refused and why, if something was."""
    context = {
        "comment": comment,
        "post": comment.post,
        "reports": comment.reports.open().select_related("by"),
        "moderation_actions": comment.moderation_actions.select_related("by"),
        "revisions": comment.revisions.all(),
        **refusal,
    }
    page = "partials/moderation/moderation_menu.html" if request.htmx else "posts/moderate.html"
    return render(request, page, context, status=status)


@answers_stale_forms
@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def report(request, pk):
    comment = visible_comment(request, pk)
    context = {"comment": comment, "post": comment.post, "reason": request.POST.get("reason", "")}
    if request.method == "POST":
        try:
            check_age(request)
            comment.report(request.user, context["reason"], client_info(request))
        except Refused as refusal:
            context["refusal"] = refusal
        else:
            return done(request, comment, _("Thank you. A moderator will look at it."))
    page = "partials/moderation/report_form.html" if request.htmx else "posts/report.html"
    refusal = context.get("refusal")
    return retry_after(render(request, page, context, status=refusal.status if refusal else 200), refusal)


def moderated_comment(request, pk):
    """The comment ``pk``, whatever its state. To others than moderators it is as missing as none: ``Http404``.

    They judge without the password of a locked post: they see its comments, as they do in the admin, and not its text.
    """
    if not moderates(request.user):
        raise Http404
    comment = get_object_or_404(Comment.objects.with_related().select_related("post__author"), pk=pk)
    known_post(request, comment.post.slug)
    return comment
