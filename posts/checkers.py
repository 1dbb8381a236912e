"""The checkers of comments that come with the house; ``posts/models/review.py`` says what a checker is."""

import re
import unicodedata
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from django.conf import settings
from django.utils.translation import get_language

from posts.models import Ruling, SuspectWord

LATIN = "a-zà-ɏ0-9"
ANSWER = 1000  # bytes of an answer that are read


def words(comment, visit):
    """Holds what mentions one of the suspect words, which moderators keep in the admin."""
    text = plain(comment.body)
    for word in SuspectWord.objects.values_list("word", flat=True):
        # Chinese has no spaces between words, and none between a word of Latin letters and its neighbours.
        found = re.escape(plain(word))
        found = rf"(?<![{LATIN}]){found}" if re.match(f"[{LATIN}]", plain(word)) else found
        found = rf"{found}(?![{LATIN}])" if re.search(f"[{LATIN}]$", plain(word)) else found
        if re.search(found, text):
            return Ruling(what=Ruling.What.HELD, reason=word)
    return None


def plain(text):
    """``text`` (str) without capitals, full-width letters and the like, and runs of space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def akismet(comment, visit):
    """Asks Akismet, once ``AKISMET_KEY`` is set. Spam waits; what Akismet calls worthless is rejected.

    https://akismet.com/developers/detailed-docs/comment-check/. Raises whatever goes wrong on the way.
    """
    if not settings.AKISMET_KEY:
        return None
    said = {
        "api_key": settings.AKISMET_KEY,
        "blog": visit.site,
        "user_ip": visit.address,
        "user_agent": visit.agent,
        "referrer": visit.referrer,
        "permalink": visit.site.rstrip("/") + comment.post.get_absolute_url(),
        "comment_type": "reply" if comment.parent_id else "comment",
        "comment_author": str(comment.author),
        "comment_content": comment.body,
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
    what = Ruling.What.REJECTED if tip == "discard" else Ruling.What.HELD
    return Ruling(what=what, reason="Akismet")
