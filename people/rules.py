"""What refuses: raised by verbs, shown to the sender beside the form, which keeps what they typed."""

import unicodedata

from django.core.exceptions import ValidationError


class Refused(ValidationError):
    """What was said is not taken, for a reason that the person is told; ``status`` is HTTP's."""

    status = 422


class Closed(Refused):
    status = 403


def tidy(text):
    """``text`` (str) as it is kept and counted: in Unicode's form NFC, with plain line ends, trimmed."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
