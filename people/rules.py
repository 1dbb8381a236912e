"""What refuses: raised by verbs, shown to the sender beside the form, which keeps what they typed."""

import re
import unicodedata

from django.core.exceptions import ValidationError


class Refused(ValidationError):
    """What was said is not taken, for a reason that the person is told; ``status`` is HTTP's."""

    status = 422


class Closed(Refused):
    status = 403


# Putting marks in order takes time with the square of how many stand in a row. More than 30 stand in no language:
# https://unicode.org/reports/tr15/#Stream_Safe_Text_Format. The last three are none themselves, but consist of such.
MARKS = "".join(filter(unicodedata.combining, map(chr, range(0x300, 0x1F000)))) + "\u0f73\u0f75\u0f81"
TOO_MANY_MARKS = re.compile(f"([{MARKS}]{{30}})[{MARKS}]+")


def normalize(text):
    """``text`` (str, of any length) as it is kept and counted: in Unicode's form NFC, with plain line ends, trimmed."""
    return unicodedata.normalize("NFC", TOO_MANY_MARKS.sub(r"\1", text.replace("\r\n", "\n"))).strip()
