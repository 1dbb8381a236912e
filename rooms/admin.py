"""Rooms are made here, and reports of messages are settled. Conversations are nobody's business but theirs."""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from people.models import Person
from people.rules import Refused
from rooms.models import Membership, Message, Report, Room

AROUND = 3  # messages shown before and after a reported one


class MemberForm(forms.ModelForm):
    """A member, named by username: who may make rooms need not be allowed to look through all people."""

    person = forms.ModelChoiceField(
        Person.objects.filter(is_active=True),
        to_field_name="username",
        widget=forms.TextInput,
        label=_("username"),
        error_messages={"invalid_choice": _("There is nobody of that name.")},
    )

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        if self.instance.pk:
            self.initial["person"] = self.instance.person.username


class MembershipInline(admin.TabularInline):
    model = Membership
    form = MemberForm
    fields = ["person", "involvement"]
    extra = 1

    def get_queryset(self, request):
        return super().get_queryset(request).filter(left_at=None)


@admin.register(Room)
class RoomAdmin(admin.ModelAdmin):
    inlines = [MembershipInline]
    fields = ["name", "topic", "kind", "slug", "archived"]
    list_display = ["name", "kind", "archived"]
    list_filter = ["kind", "archived"]
    search_fields = ["name", "topic"]

    def get_queryset(self, request):
        return super().get_queryset(request).exclude(kind=Room.Kind.DIRECT)

    def formfield_for_choice_field(self, db_field, request, **options):
        if db_field.name == "kind":
            options["choices"] = [choice for choice in Room.Kind.choices if choice[0] != Room.Kind.DIRECT]
        return super().formfield_for_choice_field(db_field, request, **options)

    def get_form(self, request, obj=None, **options):
        form = super().get_form(request, obj, **options)
        if "name" in form.base_fields:
            form.base_fields["name"].required = True
        return form

    def save_model(self, request, obj, form, change):
        obj.created_by = obj.created_by or request.user
        obj.revise()
        if obj.kind == Room.Kind.MEMBERS and not change:
            obj.admit(request.user)  # or they could not even see what they made

    def save_formset(self, request, form, formset, change):
        """Who is taken out of the room hears no more of it, at once; who was in it before may come back."""
        for membership in formset.save(commit=False):
            room = membership.room
            joined = membership if membership.pk else room.admit(membership.person)
            joined.listen(membership.involvement)
        for membership in formset.deleted_objects:
            membership.leave()


class Seen:
    """What may be looked at, but neither made nor changed nor deleted here."""

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def has_moderate_permission(self, request):
        return request.user.has_perm("rooms.moderate_message")


class ReasonForm(ActionForm):
    reason = forms.CharField(label=_("Reason"), max_length=200, required=False)


@admin.register(Message)
class MessageAdmin(Seen, admin.ModelAdmin):
    """What was said in the rooms that are open to all, and nowhere else."""

    list_display = ["__str__", "author", "room", "created_at", "removed_at", "reason"]
    list_filter = ["created_at", ("room", admin.RelatedOnlyFieldListFilter)]
    search_fields = ["body", "author__username"]
    fields = readonly_fields = [
        "room",
        "author",
        "body",
        "created_at",
        "edited_at",
        "removed_at",
        "removed_by",
        "reason",
    ]
    list_select_related = ["author", "room"]
    ordering = ["-pk"]
    action_form = ReasonForm
    actions = ["remove"]

    def get_queryset(self, request):
        return super().get_queryset(request).filter(room__kind=Room.Kind.OPEN)

    @admin.action(description=_("Remove, with the reason given"), permissions=["moderate"])
    def remove(self, request, queryset):
        try:
            for message in queryset:
                message.remove(request.user, request.POST.get("reason", "")[:200])
        except Refused as refusal:
            return self.message_user(request, refusal.messages[0], messages.ERROR)
        self.message_user(request, _("Removed."), messages.SUCCESS)


@admin.register(Report)
class ReportAdmin(Seen, admin.ModelAdmin):
    list_display = ["reason", "text", "author", "by", "created_at", "settled_at"]
    list_filter = [("settled_at", admin.EmptyFieldListFilter)]
    fields = ["reason", "by", "created_at", "around", "settled_at"]
    readonly_fields = fields
    actions = ["remove_message", "settle"]
    list_select_related = ["message__author", "message__room", "by"]

    @admin.display(description=_("text"))
    def text(self, report):
        return str(report.message)

    @admin.display(description=_("author"))
    def author(self, report):
        return report.message.author

    @admin.display(description=_("What was said"))
    def around(self, report):
        """The reported message among those around it: of private talk nothing else is shown to anybody."""
        messages = report.message.room.messages.select_related("author")
        if report.message.room.kind != Room.Kind.OPEN:
            messages = messages.none()
        before = messages.filter(pk__lt=report.message_id).order_by("-pk")[:AROUND]
        after = messages.filter(pk__gt=report.message_id).order_by("pk")[:AROUND]
        lines = [*reversed(before), report.message, *after]
        return format_html_join(
            "",
            "<p>{}</p>",
            (
                [
                    format_html(
                        "<b>{}</b>: {}" if message.pk == report.message_id else "{}: {}", message.author, message.body
                    )
                ]
                for message in lines
            ),
        )

    @admin.action(description=_("Remove the reported messages"), permissions=["moderate"])
    def remove_message(self, request, reports):
        removed = 0
        for report in reports:
            try:
                report.message.remove(request.user, report.reason)
                report.settle()
                removed += 1
            except Refused as refusal:
                self.message_user(request, refusal.messages[0], messages.ERROR)
        message = ngettext("%(n)s message was removed.", "%(n)s messages were removed.", removed) % {"n": removed}
        self.message_user(request, message)

    @admin.action(description=_("Settle the reports without removing anything"), permissions=["moderate"])
    def settle(self, request, reports):
        for report in reports:
            report.settle()
