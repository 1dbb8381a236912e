from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from people.versioned_forms import EditForm


class CommentForm(forms.Form):
    """What a person says. The text's own rules stand with ``Comment``; ``key`` names this attempt."""

    body = forms.CharField(
        label=_("Your comment"),
        required=False,
        strip=False,
        widget=forms.Textarea({"rows": 4}),
    )
    parent = forms.IntegerField(required=False, widget=forms.HiddenInput)
    key = forms.UUIDField(required=False, widget=forms.HiddenInput, initial=uuid4)


class EditCommentForm(EditForm, CommentForm):
    pass


class UnlockForm(forms.Form):
    password = forms.CharField(label=_("Password"), widget=forms.PasswordInput, max_length=100)
