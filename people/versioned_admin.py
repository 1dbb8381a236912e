"""The admin's forms as ``VersionedForm``: two who edit one row do not undo each other's work."""

from django.contrib import admin
from django.db import transaction

from live.ticks import lock
from people.versioned_forms import VersionedForm


class VersionedAdmin(admin.ModelAdmin):
    """Mixin: what is sent is compared with the row as it is stored, and nobody changes that until it is saved."""

    form = VersionedForm

    def lock(self, obj):
        """Keep all others from changing ``obj``, in the transaction of the request."""
        lock(obj)

    def get_object(self, request, object_id, from_field=None):
        obj = super().get_object(request, object_id, from_field)
        if obj and request.method == "POST" and transaction.get_connection().in_atomic_block:
            self.lock(obj)
            obj.refresh_from_db()
        return obj

    def get_fieldsets(self, request, obj=None):
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or not self.has_change_permission(request, obj):
            return fieldsets
        (name, options), *others = fieldsets
        return [(name, options | {"fields": [*options["fields"], "versions"]}), *others]


class VersionedInline(admin.StackedInline):
    """Mixin: the same for rows that are edited with another one, whose lock is theirs as well."""

    form = VersionedForm

    def get_fields(self, request, obj=None):
        return [*super().get_fields(request, obj), "versions"]
