from uuid import uuid5

from django import forms
from django.utils.translation import gettext_lazy as _

from people.versioned_forms import EditForm


class MessageForm(forms.Form):
    """What a person says. The text's own rules stand with ``Message``.

    ``key`` names this attempt. Lines that are typed quickly carry the same, for the next one is begun before the last
    is answered: so only the same text under the same key is the same attempt. ``long`` (which ``initial`` may say
    too) is the form with room for several lines.
    """

    body = forms.CharField(label=_("Message"), required=False, strip=False, widget=forms.Textarea)
    key = forms.UUIDField(required=False, widget=forms.HiddenInput)
    long = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("key"):
            cleaned["key"] = uuid5(cleaned["key"], cleaned.get("body", ""))
        return cleaned

    @property
    def is_long(self):
        return bool(self["long"].value())


class EditMessageForm(EditForm, MessageForm):
    pass


class NewConversationForm(forms.Form):
    """Whom to write to: usernames, with commas or spaces between."""

    people = forms.CharField(label=_("Write to"), required=False, max_length=400)
