"""Two edits of one thing: the second is told of the first, and nothing that it did not touch is written back.

A form says with which version of each text it was opened: a digest, in a hidden input. Compared are what it was opened
with, what is stored now, and what was sent::

    sent as opened                      not touched: what is stored stays
    stored as opened, or sent as stored saved
    all three differ                    refused, with both texts and what differs; sent again, mine replaces theirs

A text that is changed by a verb of its own (a comment, a message) takes ``EditForm`` and ``check``. What is edited by a
ModelForm takes ``VersionedForm`` (versioned_forms.py), and in the admin ``VersionedAdmin`` (versioned_admin.py).
The row must be locked before it is read.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import SequenceMatcher
from hashlib import blake2b

from django.core.files import File
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from people.rules import Refused

CHANGED = _("Not saved: this was changed meanwhile, in another tab or by somebody else.")
TOKENS = re.compile(r"[a-zA-Z0-9_]+|\s+|.", re.DOTALL)  # a Han character is a word of its own
MOST = 600  # tokens that are compared: the cost grows with their square
AROUND = 200  # characters of what is the same that are shown before and after a difference


def version(value):
    """What stands for ``value`` (a text, or what else a form's field holds) in a form (str)."""
    return blake2b(normal(value).encode(), digest_size=8).hexdigest()


def normal(value):
    """``value`` as text, the same before a browser had it and after: line ends and fractions of seconds get lost."""
    match value:
        case None | False:
            return ""
        case datetime():
            return value.replace(microsecond=0).astimezone(UTC).isoformat()
        case Model():
            return str(value.pk)
        case File():
            return str(value) if getattr(value, "_committed", False) else f"new {value.name}"
        case str():
            return value.replace("\r\n", "\n").strip()
    if hasattr(value, "__iter__"):
        return " ".join(sorted(map(normal, value)))
    return str(value)


class Conflict(Refused):
    """The text was changed meanwhile: ``stored`` (str) is what it says now."""

    status = 409

    def __init__(self, stored):
        super().__init__(CHANGED)
        self.stored = stored


def check(stored, opened):
    """Raises ``Conflict`` if ``stored`` (str) is not the version with which the form was ``opened`` (str, or "")."""
    if opened and opened != version(stored):
        raise Conflict(stored)


@dataclass
class Comparison:
    """What the page shows of a conflict: the text that is ``stored`` and the one that was ``sent``.

    ``field`` is the name of the form's field (str), which the button that takes what is stored says.
    """

    stored: str
    sent: str
    field: str = "body"

    def differences(self):
        """What leads from the stored text to the sent one: list of ("same", "removed" or "new", text)."""
        return list(differences(self.stored.replace("\r\n", "\n").strip(), self.sent.replace("\r\n", "\n").strip()))


def differences(before, after):
    """Yield ("same", "removed" or "new", text), word by word, or line by line where much differs."""
    for split in (TOKENS.findall, lambda text: text.splitlines(keepends=True)):
        old, new = split(before), split(after)
        start, end = common(old, new), 0
        if limit := min(len(old), len(new)) - start:
            end = common(old[::-1][:limit], new[::-1][:limit])
        middle = old[start : len(old) - end], new[start : len(new) - end]
        if max(map(len, middle)) <= MOST:
            break
        if split is not TOKENS.findall:
            middle = ["".join(middle[0])], ["".join(middle[1])]
    yield from shown("same", "".join(old[:start]), first=True)
    for verb, a, b, c, d in SequenceMatcher(None, *middle).get_opcodes():
        if verb == "equal":
            yield from shown("same", "".join(middle[0][a:b]))
            continue
        yield from shown("removed", "".join(middle[0][a:b]))
        yield from shown("new", "".join(middle[1][c:d]))
    yield from shown("same", "".join(old[len(old) - end :]), last=True)


def common(old, new):
    """How many items (int) the lists ``old`` and ``new`` begin with alike."""
    return next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))


def shown(kind, text, first=False, last=False):
    """One part, if there is anything in it; of what is the same, only what stands near a difference."""
    before, after = "" if first else text[:AROUND], "" if last else text[-AROUND:]
    if kind == "same" and len(text) > len(before) + len(after):
        text = f"{before} … {after}".strip()
    if text:
        yield kind, text
