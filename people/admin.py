from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from live.ticks import tick
from people.account_deletion import on_account_deletion
from people.models import DISPLAY_NAMES, Person
from people.sessions import carry_over
from people.versioned_admin import VersionedAdmin
from people.versioned_forms import VersionedForm


class PersonForm(VersionedForm, UserChangeForm):
    pass


@admin.register(Person)
class PersonAdmin(VersionedAdmin, UserAdmin):
    form = PersonForm
    list_display = ["username", "display_name", "email", "is_staff", "is_active", "banned_at"]
    list_filter = ["is_staff", "is_superuser", "is_active", "groups", "banned_at"]
    search_fields = ["username", "display_name", "email"]
    ordering = ["username"]
    readonly_fields = ["banned_at", "ban_reason", "deleted_at", "last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (_("Profile"), {"fields": ["display_name", "email", "bio", "language", "time_zone"]}),
        (_("Rights"), {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
        (_("Ban"), {"fields": ["banned_at", "ban_reason"]}),
        (_("Dates"), {"fields": ["last_login", "date_joined", "deleted_at"]}),
    ]

    def has_change_permission(self, request, obj=None):
        """A closed account is closed for good."""
        return super().has_change_permission(request, obj) and not (obj and obj.deleted_at)

    def has_delete_permission(self, request, obj=None):
        """Rows of people stay: what they said hangs on them, and open pages hear of an end from them."""
        return False

    def lock(self, person):
        Person.objects.select_for_update().get(pk=person.pk)

    def save_model(self, request, obj, form, change):
        """A change of rights is heard by the person's open pages at once; to be let in again ends a ban."""
        with transaction.atomic():
            if obj.is_active:
                obj.banned_at, obj.ban_reason = None, ""
            super().save_model(request, obj, form, change)
            if obj.is_active:
                tick(obj, DISPLAY_NAMES)
            else:
                obj.end_sessions()

    def user_change_password(self, request, id, form_url=""):
        answer = super().user_change_password(request, id, form_url)
        if answer.status_code == 302:
            own = carry_over(request)  # Django gives the admin's session a new key, whosever password it was
            self.get_object(request, id).announce_new_password(*own)
        return answer


@on_account_deletion
def forget_in_the_log(person, **_):
    """The admin's history names people; what was done to a row stays known."""
    people = ContentType.objects.get_for_model(Person)
    LogEntry.objects.filter(content_type=people, object_id=str(person.pk)).update(object_repr="")
