from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _


class MessageForm(forms.Form):
    """What a person says. The text's own rules stand with ``Message``; ``key`` names this attempt.

    ``long`` is the form with room for several lines.
    """

    body = forms.CharField(label=_("Message"), required=False, strip=False, widget=forms.Textarea)
    key = forms.UUIDField(required=False, widget=forms.HiddenInput, initial=uuid4)
    long = forms.BooleanField(required=False, widget=forms.HiddenInput)


class ReportForm(forms.Form):
    reason = forms.CharField(label=_("What is wrong with it?"), required=False, max_length=300)


class NewConversationForm(forms.Form):
    """Whom to write to: usernames, with commas or spaces between."""

    people = forms.CharField(label=_("Write to"), required=False, max_length=400)
