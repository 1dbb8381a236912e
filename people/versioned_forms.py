"""Forms that say with which version of what they edit they were opened: ``versions.py`` says what for."""

from django import forms
from django.core.files import File
from django.forms.models import model_to_dict
from django.template.loader import render_to_string

from people.versions import CHANGED, Comparison, Conflict, version


class EditForm(forms.Form):
    """Mixin for the form of one text, ``body``. Begin it with ``initial=opened(text)``."""

    version = forms.CharField(required=False, widget=forms.HiddenInput)
    conflict = None  # Comparison

    @property
    def takes_stored(self):
        """Whether its sender, who was told of a conflict, gives up what they wrote (bool)."""
        return "theirs" in self.data

    def refuse(self, refusal):
        """Show the ``refusal`` (Refused); after a conflict, sent once more it replaces what was shown."""
        self.add_error(None, refusal)
        if isinstance(refusal, Conflict):
            self.conflict = Comparison(refusal.stored, self.data.get("body", ""))
            self.data = self.data.copy()
            self.data["version"] = version(refusal.stored)


def opened(text):
    """The ``initial`` of an ``EditForm`` of ``text`` (str)."""
    return {"body": text, "version": version(text)}


class VersionedForm(forms.ModelForm):
    """Mixin for a ModelForm: ``instance`` is the row as it is stored now."""

    versions = forms.CharField(required=False, widget=forms.HiddenInput)
    status = 422  # of the answer when it is not valid

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.initial["versions"] = dumped(self.stored_versions()) if self.instance.pk else ""

    @property
    def opened(self):
        """The versions (dict of field name to str) with which the page was opened; empty if that is not known."""
        pairs = (pair.partition("=") for pair in self.data.get(self.add_prefix("versions"), "").split())
        return {name: version for name, _, version in pairs} if self.is_bound else {}

    def stored(self):
        names = [name for name, field in self.fields.items() if name != "versions" and not field.disabled]
        return model_to_dict(self.instance, names)

    def stored_versions(self):
        return {name: version(value) for name, value in self.stored().items()}

    @property
    def changed_data(self):
        """The fields that the sender touched: not those that others changed meanwhile."""
        changed, known = [name for name in super().changed_data if name != "versions"], self.opened
        changed = [name for name in changed if name not in known or self.sent_version(name) != known[name]]
        return [name for name in changed if not self.gives_up(name)]

    def gives_up(self, name):
        """Whether the sender, who was told of a conflict, takes what is stored in the field ``name`` (bool)."""
        return self.is_bound and self.add_prefix(name) in self.data.getlist("theirs")

    def sent_version(self, name):
        bound = self[name]
        try:
            if isinstance(bound.field, forms.FileField):
                return version(bound.field.clean(bound.data, bound.initial))
            return version(bound.field.clean(bound.data))
        except forms.ValidationError:
            return ""

    def _post_clean(self):
        stored, known, conflicts = self.stored(), self.opened if self.instance.pk else {}, {}
        for name in known.keys() & stored.keys() & self.cleaned_data.keys():
            sent, now = version(self.cleaned_data[name]), version(stored[name])
            if sent == known[name] or self.gives_up(name):
                del self.cleaned_data[name]
            elif now not in (known[name], sent):
                texts = (readable(self, name, value) for value in (stored[name], self.cleaned_data[name]))
                conflicts[name] = Comparison(*texts, self.add_prefix(name))
                known[name] = now
        for name, comparison in conflicts.items():
            context = {"sentence": CHANGED, "conflict": comparison}
            self.add_error(name, render_to_string("partials/conflict.html", context))
        if conflicts:
            self.status = Conflict.status
            self.data = self.data.copy()
            self.data[self.add_prefix("versions")] = dumped(known)
        super()._post_clean()


def dumped(versions):
    return " ".join(f"{name}={version}" for name, version in versions.items())


def readable(form, name, value):
    """The ``value`` of the field ``name`` as people read it (str)."""
    choices = dict(getattr(form.fields[name], "choices", ())) if isinstance(value, str | int) else {}
    if hasattr(value, "__iter__") and not isinstance(value, str | File):
        return ", ".join(map(str, value))
    return str(choices.get(value, "" if value is None else value))
