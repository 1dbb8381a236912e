"""Rooms are made here, and moderators look through what was said in those that are open to all."""

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from live.ticks import lock
from moderation.admin import ActionInline, ModeratedAdmin, ReportInline
from people.models import Person
from people.versioned_admin import VersionedAdmin
from rooms.models import OPEN_ROOMS, Membership, Message, Room


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
class RoomAdmin(VersionedAdmin):
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

    def lock(self, room):
        lock(OPEN_ROOMS, room)

    def delete_queryset(self, request, queryset):
        for room in queryset:
            room.delete()

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


@admin.register(Message)
class MessageAdmin(ModeratedAdmin):
    """What was said in the rooms that are open to all, and nowhere else."""

    inlines = [ActionInline, ReportInline]
    list_display = ["__str__", "author", "room", "created_at", "removed_at", "last_action"]
    list_filter = ["created_at", ("removed_at", admin.EmptyFieldListFilter), ("room", admin.RelatedOnlyFieldListFilter)]
    search_fields = ["body", "author__username"]
    fields = readonly_fields = ["room", "author", "body", "created_at", "edited_at", "removed_at"]
    fields = readonly_fields = [*fields, "removed_by", "reason", "menu"]
    list_select_related = ["author", "room"]
    ordering = ["-pk"]
    actions = ["remove", "restore", "keep", "ban"]

    def get_queryset(self, request):
        return super().get_queryset(request).filter(room__kind=Room.Kind.OPEN).prefetch_related("actions")
