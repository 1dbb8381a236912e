"""What a post says to machines: schema.org's ``LiveBlogPosting`` as JSON-LD."""

import json

from django.utils.html import strip_tags
from django.utils.safestring import mark_safe


def live_blog_posting(request, post):
    """JSON (safe inside a ``script`` element) of a covered post.

    The properties are those of https://schema.org/LiveBlogPosting.
    """
    address = request.build_absolute_uri(post.get_absolute_url())
    updates = post.updates.visible()[:100]
    data = {
        "@context": "https://schema.org",
        "@type": "LiveBlogPosting",
        "headline": str(post),
        "url": address,
        "inLanguage": post.language,
        "datePublished": post.published_at and post.published_at.isoformat(),
        "author": {"@type": "Person", "name": str(post.author)},
        "liveBlogUpdate": [
            {
                "@type": "BlogPosting",
                "headline": str(update)[:110],
                "url": f"{address}#update-{update.pk}",
                "datePublished": update.at.isoformat(),
                "articleBody": strip_tags(update.html),
            }
            for update in updates
            if not update.struck
        ],
    }
    if post.coverage == post.Coverage.ENDED and post.revised_at:
        data["coverageEndTime"] = post.revised_at.isoformat()
    escapes = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}
    return mark_safe(json.dumps(data, ensure_ascii=False).translate(escapes))
