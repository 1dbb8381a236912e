"""How digests go out: written in the language of their receiver, handed to the mail server, outside any request."""

import logging
import re
from collections import Counter
from contextlib import suppress
from smtplib import SMTPDataError, SMTPRecipientsRefused
from threading import Thread

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.signing import TimestampSigner
from django.db import connections
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from inbox.models import EmailDigest
from inbox.models.email_digest import address_of

logger = logging.getLogger("inbox")
signer = TimestampSigner(salt="inbox.unsubscribe")

MOST = 50  # digests over one connection: mail servers set limits
LINES = 30  # rows that a mail shows; there may be more in the inbox
EXCERPT = 240  # characters
SUBJECT = 150  # characters of the first sentence
BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

_under_way = None


def start_sending():
    """Send what is due in a thread of its own, unless it is at it still: no mail server can hold up the heartbeat."""
    global _under_way
    if not (_under_way and _under_way.is_alive()) and EmailDigest.is_any_due():
        _under_way = Thread(target=_go, name="mail", daemon=True)
        _under_way.start()


def _go():
    try:
        send_due()
    except Exception:
        logger.exception("mail is late")
    finally:
        connections.close_all()


def send_due():
    """Send what is due, MOST digests at most, in any number of processes. → how many became what (Counter of str)

    "sent"; "needless", for all in them was read meanwhile; "refused" by a mail server that takes others; or
    "unreachable", the mail server: then the rest waits.
    """
    EmailDigest.build_due()
    became = Counter()
    line = get_connection()
    try:
        while became.total() < MOST and not became["unreachable"] and (digest := EmailDigest.take()):
            became[send(digest, line)] += 1
    finally:
        with suppress(OSError):
            line.close()
    return became


def send(digest, line):
    """Send ``digest``, which is ours, through the mail connection ``line``. → what it became (str), as above"""
    try:
        rows = digest.unread_notifications()
        if not rows:
            digest.delete()
            return "needless"
        mail = compose(digest, rows)
    except Exception:
        logger.exception("digest %s cannot be written", digest.pk)
        digest.refused()
        return "refused"
    try:
        line.open()
        line.send_messages([mail])
    except (SMTPRecipientsRefused, SMTPDataError, ValueError) as error:  # its address, its text: others may do better
        logger.warning("digest %s is refused (%s)", digest.pk, reason(error))
        digest.refused()
        return "refused"
    except OSError as error:  # all of smtplib's are
        logger.warning("no mail server (%s): trying again", reason(error))
        digest.delay()
        EmailDigest.delay_all()
        return "unreachable"
    digest.sent(rows)
    return "sent"


def reason(error):
    """What went wrong (str), without the address."""
    codes = [code for code, _said in error.recipients.values()] if isinstance(error, SMTPRecipientsRefused) else []
    codes = codes or [getattr(error, "smtp_code", "")]
    return " ".join([type(error).__name__, *map(str, codes)]).strip()


def compose(digest, rows):
    """The mail (EmailMultiAlternatives) that tells ``digest.person`` of ``rows`` (list of Notification, not empty)."""
    person = digest.person
    with (
        translation.override(person.language or settings.LANGUAGE_CODE),
        timezone.override(person.time_zone or None),
    ):
        lines = [line(row) for row in rows[:LINES]]
        context = {
            "person": one_line(str(person)),
            "lines": lines,
            "more": len(rows) - len(lines),
            "home": settings.ORIGINS[0],
            "preferences": at_home(reverse("preferences")),
            "unsubscribe": unsubscribing(person),
        }
        subject = Truncator(lines[0]["sentence"]).chars(SUBJECT)
        if len(rows) > 1:
            subject = _("%(first)s, and %(n)s more") % {"first": subject, "n": len(rows) - 1}
        mail = EmailMultiAlternatives(
            settings.ACCOUNT_EMAIL_SUBJECT_PREFIX + subject,
            render_to_string("inbox/mail/digest.txt", context),
            to=[address_of(person)],
            headers={
                "Message-ID": digest.message_id,
                "Auto-Submitted": "auto-generated",
                "List-Unsubscribe": f"<{context['unsubscribe']}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",  # RFC 8058
            },
        )
        if digest.bundle:
            mail.extra_headers["Precedence"] = "bulk"
        mail.attach_alternative(render_to_string("inbox/mail/digest.html", context), "text/html")
    return mail


def line(row):
    """What a mail says of ``row`` (Notification): the sentence of the inbox, an excerpt, when, and where.

    A source may say ``excerpt`` (str, plain text, nothing of what only some may read). Nothing is quoted where several
    spoke, nor of private messages: mail is read by more than those whom it is for.
    """
    quoted = row.count == 1 and row.kind not in (row.Kind.MESSAGE, row.Kind.MODERATION)
    excerpt = getattr(row.source, "excerpt", "") if quoted else ""
    return {
        "sentence": one_line(row.sentence),
        "excerpt": Truncator(one_line(excerpt)).chars(EXCERPT),
        "at": row.at,
        "url": at_home(row.target),
    }


def one_line(text):
    """``text`` (str) without line breaks and control characters: it can begin neither a header nor a paragraph."""
    return " ".join(BREAKS.sub(" ", text).split())


def at_home(path):
    """The address (str) of ``path`` at our own first origin: no request says where we are."""
    return settings.ORIGINS[0] + path


def unsubscribing(person):
    """The address (str) at which whoever has the mail ends the mails to ``person``, signed in or not."""
    return at_home(reverse("unsubscribe", args=[signer.sign(person.pk)]))
