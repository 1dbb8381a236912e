"""Moderation in place: a menu below what people say for moderators, and for everybody a way to tell them."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from moderation.rules import moderates
from people.client_info import client_info, retry_after
from people.decorators import signed_in
from people.rules import Refused
from people.stale_forms import answers_stale_forms, check_age

ACTIONS = {
    "approve": lambda target, by, form: target.approve(by),
    "reject": lambda target, by, form: target.reject(by, form.get("reason", "")),
    "remove": lambda target, by, form: target.remove(by, form.get("reason", "")),
    "restore": lambda target, by, form: target.restore(by),
    "keep": lambda target, by, form: target.keep(by),
    "ban": lambda target, by, form: target.ban_author(by, form.get("reason", ""), "purge" in form),
}
DONE = {
    "keep": gettext_lazy("It stays."),
    "ban": gettext_lazy("The account is closed."),
}


class ModerationViews:
    """The views of one moderated model. An app makes a subclass that says what stands in the second half.

    ``name`` is what the addresses are called by ("report-comment", "comment-menu"), ``route`` where they stand, with
    the target's ``pk``; ``actions`` are those of ``ACTIONS`` that the model has.
    """

    name = route = ""
    actions = ()

    @property
    def urls(self):
        report = answers_stale_forms(signed_in(require_http_methods(["GET", "HEAD", "POST"])(self.report)))
        menu = signed_in(require_safe(self.menu))
        act = answers_stale_forms(signed_in(require_POST(self.act)))
        return [
            path(f"{self.route}report/", report, name=f"report-{self.name}"),
            path(f"{self.route}menu/", menu, name=f"{self.name}-menu"),
            *(path(f"{self.route}{verb}/", act, {"verb": verb}, name=f"{verb}-{self.name}") for verb in self.actions),
        ]

    def report(self, request, pk):
        target = self.find_readable(request, pk)
        reason, refusal, status = request.POST.get("reason", ""), None, 200
        if request.method == "POST":
            try:
                check_age(request)
                target.report(request.user, reason, client_info(request))
                return self.done(request, target, _("Thank you. A moderator will look at it."))
            except Refused as error:
                refusal, status = error, error.status
        context = {"reason": reason, "refusal": refusal and refusal.messages[0]}
        response = self.render(request, "report_form", "report", target, context, status)
        return retry_after(response, refusal)

    def menu(self, request, pk):
        return self.show_menu(request, self.find_moderated(request, pk))

    def act(self, request, pk, verb):
        """Do what a button of the menu says. ``verb`` is one of ``actions``."""
        target = self.find_moderated(request, pk)
        try:
            check_age(request)
            ACTIONS[verb](target, request.user, request.POST)
        except Refused as refusal:
            return self.show_menu(request, target, refusal.status, refused=verb, refusal=refusal.messages[0])
        return self.done(request, target, DONE.get(verb))

    def show_menu(self, request, target, status=200, **refusal):
        """The menu of the ``target``; ``refusal`` says which action was refused and why, if one was."""
        context = {
            "reports": target.reports.open().select_related("by"),
            "actions": target.actions.select_related("by"),
            "earlier_texts": target.earlier_texts,
            **refusal,
        }
        return self.render(request, "moderation_menu", "moderate", target, context, status)

    def render(self, request, fragment, page, target, context, status):
        """Of two templates the ``fragment`` for htmx, which is put below the ``target``, else the whole ``page``."""
        context |= {"target": target, "address": target.get_absolute_url(), "slot": self.slot(target)}
        if not request.htmx:
            known = target.thread.is_known_to(request.user)
            context |= {"page": True, "known": known, "target_html": self.html(target)}
        template = f"partials/moderation/{fragment}.html" if request.htmx else f"moderation/{page}.html"
        return render(request, template, context, status=status)

    def done(self, request, target, sentence):
        """The answer to what was done with the ``target``; what cannot be seen on the page the ``sentence`` says."""
        if sentence and not request.htmx:
            messages.success(request, sentence)
        html = render_to_string("partials/confirmation.html", {"sentence": sentence}) if sentence else ""
        return self.answer(request, target, html)

    def find_moderated(self, request, pk):
        """The target ``pk``, in whatever state. To others than its moderators it is as missing as none: ``Http404``."""
        target = self.find(request, pk) if moderates(request.user) else None
        if not target or not target.moderated_by(request.user):
            raise Http404
        return target

    # What an app says

    def find_readable(self, request, pk):
        """The target ``pk``, if the person may read it. Raises ``Http404``."""
        raise NotImplementedError

    def find(self, request, pk):
        """The target ``pk`` for a moderator, who may have to see it in the admin only. Raises ``Http404``."""
        raise NotImplementedError

    def answer(self, request, target, html):
        """The answer to a change: to htmx ``html`` (for the slot) and what the page missed, else a redirect."""
        raise NotImplementedError

    def html(self, target):
        """The ``target`` as a page shows it."""
        raise NotImplementedError

    def slot(self, target):
        """The selector of the element below the ``target`` in which forms are opened."""
        raise NotImplementedError
