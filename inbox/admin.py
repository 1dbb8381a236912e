from datetime import timedelta

from django.contrib import admin, messages
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inbox.models import ANNOUNCEMENTS, Announcement
from live.ticks import lock
from people.rules import Refused
from people.versioned_admin import VersionedAdmin
from people.versioned_forms import VersionedForm


class AnnouncementForm(VersionedForm):
    class Meta:
        model = Announcement
        fields = ["body", "starts", "ends"]
        help_texts = {"body": _("Markdown: **bold**, *italic*, `code`, > quote, [link](address)")}

    def _post_clean(self):
        super()._post_clean()
        if not self.errors:
            try:
                self.instance.check_times()
            except Refused as refusal:
                self.add_error(None, refusal)


@admin.register(Announcement)
class AnnouncementAdmin(VersionedAdmin):
    """What stands here is on every open page the moment it is saved, or when its time comes."""

    form = AnnouncementForm
    list_display = ["__str__", "by", "starts", "ends", "up"]
    search_fields = ["body"]
    actions = ["end"]

    def get_changeform_initial_data(self, request):
        return {"ends": timezone.now() + timedelta(days=1), **super().get_changeform_initial_data(request)}

    def has_delete_permission(self, request, obj=None):
        """It is ended, never deleted: only a row can tell the open pages."""
        return False

    def changeform_view(self, request, *arguments, **keywords):
        try:
            return super().changeform_view(request, *arguments, **keywords)
        except Refused as refusal:  # somebody else was quicker, by the blink of an eye
            self.message_user(request, refusal.messages[0], messages.ERROR)
            return redirect(request.get_full_path())

    def lock(self, announcement):
        lock(ANNOUNCEMENTS)

    def save_model(self, request, obj, form, change):
        if not change:
            obj.by = request.user
        obj.announce()

    @admin.action(description=_("End now"), permissions=["change"])
    def end(self, request, queryset):
        for announcement in queryset:
            announcement.end()
        self.message_user(request, _("Ended."), messages.SUCCESS)
