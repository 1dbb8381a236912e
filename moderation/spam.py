"""The spam checks that come with the site; ``review.py`` says what a spam check is."""

import re
import unicodedata
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from django.conf import settings
from django.utils.translation import get_language

from moderation.models import Action, SuspectWord

LATIN = "a-zà-ɏ0-9"
ANSWER = 1000  # bytes of an answer that are read


def words(target, client_info):
    """Holds what mentions one of the suspect words, which moderators keep in the admin."""
    text = plain(target.body)
    for word in SuspectWord.objects.values_list("word", flat=True):
        # Chinese has no spaces between words, and none between a word of Latin letters and its neighbours.
        found = re.escape(plain(word))
        found = rf"(?<![{LATIN}]){found}" if re.match(f"[{LATIN}]", plain(word)) else found
        found = rf"{found}(?![{LATIN}])" if re.search(f"[{LATIN}]$", plain(word)) else found
        if re.search(found, text):
            return Action(kind=Action.Kind.HELD, reason=word)
    return None


def plain(text):
    """``text`` (str) without capitals, full-width letters and the like, and runs of space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def akismet(target, client_info):
    """Asks Akismet, once ``AKISMET_KEY`` is set. Spam waits; what Akismet calls worthless is rejected.

    https://akismet.com/developers/detailed-docs/comment-check/. Raises whatever goes wrong on the way.
    """
    if not settings.AKISMET_KEY:
        return None
    said = {
        "api_key": settings.AKISMET_KEY,
        "blog": client_info.site,
        "user_ip": client_info.address,
        "user_agent": client_info.agent,
        "referrer": client_info.referrer,
        "permalink": client_info.site.rstrip("/") + target.thread.get_absolute_url(),
        "comment_type": target.akismet_type,
        "comment_author": str(target.author),
        "comment_content": target.body,
        "blog_lang": (get_language() or settings.LANGUAGE_CODE).replace("-", "_"),
        "blog_charset": "UTF-8",
    }
    request = Request(settings.AKISMET_URL, urlencode(said).encode(), {"User-Agent": "Parley | Akismet"})
    with urlopen(request, timeout=settings.AKISMET_TIMEOUT) as answer:
        verdict, tip = answer.read(ANSWER).strip(), answer.headers.get("X-akismet-pro-tip")
        complaint = answer.headers.get("X-akismet-debug-help")
    if verdict == b"false":
        return None
    if verdict != b"true":
        raise ValueError(f"Akismet does not answer the question: {verdict[:100]!r} ({complaint})")
    kind = Action.Kind.REJECTED if tip == "discard" else Action.Kind.HELD
    return Action(kind=kind, reason="Akismet")
