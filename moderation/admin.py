"""What waits for moderators, what was reported, and what was decided: of all that people say, in one place."""

from collections import Counter
from functools import partial
from itertools import islice

from django.contrib import admin, messages
from django.contrib.contenttypes.admin import GenericTabularInline
from django.contrib.contenttypes.models import ContentType
from django.contrib.contenttypes.prefetch import GenericPrefetch
from django.template.response import TemplateResponse
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from moderation.models import Action, Moderated, Report, SuspectWord, moderated_models
from moderation.rules import moderates
from people.rules import Refused

LISTED = 20  # texts named on the page that asks for a reason


class HistoryInline(admin.TabularInline):
    """Rows beside what somebody said, for moderators to read."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request, obj=None):
        return False

    def has_view_permission(self, request, obj=None):
        return moderates(request.user)


class ActionInline(HistoryInline, GenericTabularInline):
    model = Action
    ct_field, ct_fk_field = "target_type", "target_id"
    fields = readonly_fields = ["created_at", "kind", "by", "reason"]


class ReportInline(HistoryInline, GenericTabularInline):
    model = Report
    ct_field, ct_fk_field = "target_type", "target_id"
    fields = readonly_fields = ["created_at", "by", "reason", "settled_at", "settled_by"]


class ReadOnlyAdmin(admin.ModelAdmin):
    """What moderators read; nobody rewrites what another person said, or what was decided."""

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class ModeratedAdmin(ReadOnlyAdmin):
    """What moderators decide upon by actions, through the same verbs as on the site."""

    def targets(self, queryset):
        """What (iterable of ``Moderated``) the chosen rows are about: themselves, unless a subclass knows better."""
        return queryset

    def has_moderate_permission(self, request):
        return moderates(request.user)

    @admin.action(description=_("Approve"), permissions=["moderate"])
    def approve(self, request, queryset):
        self.each(request, queryset, lambda target: target.approve(request.user))

    @admin.action(description=_("Restore"), permissions=["moderate"])
    def restore(self, request, queryset):
        self.each(request, queryset, lambda target: target.restore(request.user))

    @admin.action(description=_("Keep, though reported"), permissions=["moderate"])
    def keep(self, request, queryset):
        self.each(request, queryset, lambda target: target.keep(request.user))

    @admin.action(description=_("Reject, with a reason"), permissions=["moderate"])
    def reject(self, request, queryset):
        return self.ask(request, queryset, "reject", _("Reject"), lambda target, *arguments: target.reject(*arguments))

    @admin.action(description=_("Remove, with a reason"), permissions=["moderate"])
    def remove(self, request, queryset):
        return self.ask(request, queryset, "remove", _("Remove"), lambda target, *arguments: target.remove(*arguments))

    @admin.action(description=_("Ban the authors, with a reason"), permissions=["moderate"])
    def ban(self, request, queryset):
        ban = partial(Moderated.ban_author, purge="purge" in request.POST)
        return self.ask(request, queryset, "ban", _("Ban"), ban)

    def ask(self, request, queryset, action, title, verb):
        """Ask for a reason on a page between, then do ``verb(target, by, reason)`` for each. → the page, or None"""
        reason = request.POST.get("reason", "").strip()
        if reason:
            return self.each(request, queryset, lambda target: verb(target, request.user, reason))
        targets = self.targets(queryset)
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "action": action,
            "ask": _("Reason, for all to read") if action == "remove" else _("Reason"),
            "targets": list(islice(targets, LISTED)),
            "more": max(0, len(targets) - LISTED),
            "selected": request.POST.getlist("_selected_action"),
            "select_across": request.POST.get("select_across", 0),
            "purge": "purge" in request.POST,
            "refusal": _("Say why.") if "reason" in request.POST else "",
        }
        return TemplateResponse(request, "moderation/reason.html", context)

    def each(self, request, queryset, verb):
        done, refusals = 0, Counter()
        for target in self.targets(queryset):
            try:
                verb(target)
                done += 1
            except Refused as refusal:
                refusals[refusal.messages[0]] += 1
        for refusal, times in refusals.items():
            self.message_user(request, f"{refusal} ({times})", messages.ERROR)
        if done:
            sentence = ngettext("%(n)s item done.", "%(n)s items done.", done) % {"n": done}
            self.message_user(request, sentence, messages.SUCCESS)

    @admin.display(description=_("last action"))
    def last_action(self, target):
        last = next(iter(target.actions.all()), None)
        return last and (f"{last} ({last.reason})" if last.reason else str(last))

    @admin.display(description=_("author"))
    def author_name(self, target):
        return target.name

    @admin.display(description=_("Moderation"))
    def menu(self, target):
        return format_html('<a href="{}menu/">{}</a>', target.get_absolute_url(), _("Decide"))


class KindFilter(admin.SimpleListFilter):
    """Comments, or messages."""

    title = _("kind")
    parameter_name = "of"

    def lookups(self, request, model_admin):
        return [(model._meta.model_name, capfirst(model._meta.verbose_name_plural)) for model in moderated_models()]

    def queryset(self, request, queryset):
        chosen = [model for model in moderated_models() if model._meta.model_name == self.value()]
        return queryset.filter(target_type=ContentType.objects.get_for_model(chosen[0])) if chosen else queryset


class SettledFilter(admin.SimpleListFilter):
    """Open reports, unless one asks for the others."""

    title = _("settled")
    parameter_name = "settled"

    def lookups(self, request, model_admin):
        return [("yes", _("Yes")), ("all", _("All"))]

    def choices(self, changelist):
        choices = list(super().choices(changelist))
        return [choices[0] | {"display": _("No")}, *choices[1:]]

    def queryset(self, request, queryset):
        if self.value() == "all":
            return queryset
        return queryset.exclude(settled_at=None) if self.value() else queryset.filter(settled_at=None)


class AboutTargetAdmin:
    """Mixin for lists of rows that are about a ``target``, of whatever kind."""

    def get_search_fields(self, request):
        names = [model._meta.model_name for model in moderated_models()]
        return ["reason", *(f"{name}__{field}" for name in names for field in ("body", "author__username"))]

    def get_queryset(self, request):
        targets = GenericPrefetch("target", [model.objects.for_moderators() for model in moderated_models()])
        return super().get_queryset(request).select_related("by").prefetch_related(targets)

    @admin.display(description=_("text"))
    def text(self, row):
        return format_html('<a href="{}menu/">{}</a>', row.target.get_absolute_url(), row.target)

    @admin.display(description=_("kind"))
    def kind_of_target(self, row):
        return row.target_model._meta.verbose_name

    @admin.display(description=_("author"))
    def author_name(self, row):
        return row.target.name


@admin.register(Report)
class ReportAdmin(AboutTargetAdmin, ModeratedAdmin):
    list_display = ["__str__", "text", "kind_of_target", "author_name", "by", "created_at", "settled_at"]
    list_filter = [SettledFilter, KindFilter, "created_at"]
    fields = readonly_fields = ["reason", "by", "created_at", "kind_of_target", "context", "settled_at", "settled_by"]
    actions = ["keep", "remove", "ban"]

    def targets(self, queryset):
        """Each once, however often it was reported."""
        return list(dict.fromkeys(report.target for report in queryset))

    @admin.display(description=_("What was said"))
    def context(self, report):
        """What was reported (bold), perhaps among what stands around it, with the way to decide."""
        shown = ((_BOLD if line.pk == report.target_id else _PLAIN, line) for line in report.target.context_lines)
        lines = [[format_html(form, line.name, line.body)] for form, line in shown]
        return format_html_join("", "<p>{}</p>", [*lines, [self.menu(report.target)]])


_BOLD, _PLAIN = "<b>{}</b>: {}", "{}: {}"


@admin.register(Action)
class ActionAdmin(AboutTargetAdmin, ReadOnlyAdmin):
    list_display = ["created_at", "kind", "reason", "text", "kind_of_target", "author_name", "by"]
    list_filter = [KindFilter, "kind", "created_at"]
    fields = readonly_fields = ["created_at", "kind", "reason", "text", "kind_of_target", "author_name", "by"]


@admin.register(SuspectWord)
class SuspectWordAdmin(admin.ModelAdmin):
    search_fields = ["word"]
