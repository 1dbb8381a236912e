"""The spam checks of comments that come with the house; ``posts/models/review.py`` says what a spam check is."""

import re
import unicodedata
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from django.conf import settings
from django.utils.translation import get_language

from posts.models import ModerationAction, SuspectWord

LATIN = "a-zà-ɏ0-9"
ANSWER = 1000  # bytes of an answer that are read


def words(comment, client_info):
    """Holds what mentions one of the suspect words, which moderators keep in the admin."""
    text = plain(comment.body)
    for word in SuspectWord.objects.values_list("word", flat=True):
        # Chinese has no spaces between words, and none between a word of Latin letters and its neighbours.
        pattern = re.escape(plain(word))
        pattern = rf"(?<![{LATIN}]){pattern}" if re.match(f"[{LATIN}]", plain(word)) else pattern
        pattern = rf"{pattern}(?![{LATIN}])" if re.search(f"[{LATIN}]$", plain(word)) else pattern
        if re.search(pattern, text):
            return ModerationAction(what=ModerationAction.What.HELD, reason=word)
    return None


def plain(text):
    """``text`` (str) without capitals, full-width letters and the like, and runs of space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def akismet(comment, client_info):
    """Asks Akismet, once ``AKISMET_KEY`` is set. Spam waits; what Akismet calls worthless is rejected.

    https://akismet.com/developers/detailed-docs/comment-check/. Raises whatever goes wrong on the way.
    """
    if not settings.AKISMET_KEY:
        return None
    fields = {
        "api_key": settings.AKISMET_KEY,
        "blog": client_info.site,
        "user_ip": client_info.address,
        "user_agent": client_info.agent,
        "referrer": client_info.referrer,
        "permalink": client_info.site.rstrip("/") + comment.post.get_absolute_url(),
        "comment_type": "reply" if comment.parent_id else "comment",
        "comment_author": str(comment.author),
        "comment_content": comment.body,
        "blog_lang": (get_language() or settings.LANGUAGE_CODE).replace("-", "_"),
        "blog_charset": "UTF-8",
    }
    request = Request(settings.AKISMET_URL, urlencode(fields).encode(), {"User-Agent": "Parley | Akismet"})
    with urlopen(request, timeout=settings.AKISMET_TIMEOUT) as answer:
        verdict, tip = answer.read(ANSWER).strip(), answer.headers.get("X-akismet-pro-tip")
        complaint = answer.headers.get("X-akismet-debug-help")
    if verdict == b"false":
        return None
    if verdict != b"true":
        raise ValueError(f"Akismet does not answer the question: {verdict[:100]!r} ({complaint})")
    what = ModerationAction.What.REJECTED if tip == "discard" else ModerationAction.What.HELD
    return ModerationAction(what=what, reason="Akismet")
