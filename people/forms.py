from zoneinfo import available_timezones

from allauth.account.forms import AddEmailForm as AllauthAddEmailForm
from allauth.account.models import EmailAddress
from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from people.models import Person
from people.rules import normalize
from people.versioned_forms import VersionedForm


def zones():
    """The choices of time zones: what stands in the database of the IANA by continent, and UTC."""
    names = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/")))
    return [("", gettext("As the site")), ("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


class ProfileForm(VersionedForm):
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=zones, required=False)

    class Meta:
        model = Person
        fields = ["display_name", "bio", "language", "time_zone"]
        widgets = {"bio": forms.Textarea({"rows": 5})}
        labels = {"display_name": _("Display name"), "bio": _("About you"), "language": _("Language")}
        help_texts = {"bio": _("Markdown: **bold**, *italic*, `code`, > quote, [link](address)")}

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        self.fields["language"].choices = [("", _("As the browser asks")), *self.fields["language"].choices[1:]]

    def clean_display_name(self):
        return " ".join(normalize(self.cleaned_data["display_name"]).split())

    def clean_bio(self):
        return normalize(self.cleaned_data["bio"])


class PreferencesForm(VersionedForm):
    class Meta:
        model = Person
        fields = ["mail", "appear_offline"]
        labels = {"mail": _("Mails"), "appear_offline": _("Appear offline")}


class DeleteAccountForm(forms.Form):
    comments = forms.ChoiceField(
        label=_("Your comments"),
        choices=[
            ("stay", _("They stay, under “deleted person”.")),
            ("go", _("They go, with all that stands in them.")),
        ],
        widget=forms.RadioSelect,
    )


class AddEmailForm(AllauthAddEmailForm):
    def save(self, request):
        """An address that was never confirmed has no right to stay until the new one is."""
        address = super().save(request)
        if not EmailAddress.objects.filter(user=self.user, verified=True).exists():
            address.set_as_primary()
        return address
