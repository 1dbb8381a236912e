"""What people do on a page, and what a test asks of it."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from inbox.models import Announcement
from posts.models import Comment, Post

# For what the servers do themselves: handshakes, limits of what arrives, closing codes, slow readers, signals.
ON_BOTH = pytest.mark.parametrize("server", ["daphne", "uvicorn"])
SECOND = 1000  # the most that a page may be behind, in milliseconds: where tests measure


def show(page, post):
    """Open ``post`` on ``page`` and wait until it is connected. → ``page``"""
    page.goto(f"/posts/{post.slug}/")
    connected(page)
    return page


def connected(page):
    """Wait until the socket of ``page`` has brought something: how many read along."""
    expect(page.locator("#readers")).not_to_be_empty()


def comment(page, text, below=None):
    """Write ``text`` on ``page``, in answer to the comment with the id ``below`` if given."""
    if below:
        page.locator(f"#reply-{below}").click()
    form = page.locator(f"#form-{below or 'new'}")
    form.locator("textarea").fill(text)
    form.locator(".actions button").first.click()


def say(site, author, post, text, below=None):
    """Another process writes ``text``: the pages learn of it by the heartbeat, or when they connect. → the comment"""
    with site.orm():
        return Post.objects.get(pk=post.pk).comment(author, text, below and Comment.objects.get(pk=below.pk))


def announce(site, text, by, **lasts):
    """Another process announces ``text`` to all open pages; the person ``by`` says it. → the Announcement"""
    with site.orm():
        now = timezone.now()
        said = Announcement(body=text, by=by, starts=now, ends=now + timedelta(**lasts or {"hours": 1}))
        said.announce()
    return said


def hear_on(page, site, by):
    """Listen on while ``page`` (of ``live.testing``) is told two things, one after the other. → all that it heard

    Nothing rings for them: with the first it was told what was written before, by the same heartbeat or an earlier one;
    and the second comes with another.
    """
    said = announce(site, "One announcement", by)
    page.hear(said.body)
    with site.orm():
        said.body = "Another announcement"
        said.announce()
    return page.hear(said.body)


def texts(page):
    return [text.strip() for text in page.locator("#comments .text").all_inner_texts()]


def rendered(page):
    """The comments as ``page`` shows them: HTML without open forms and without space between elements."""
    return page.locator("#comments").evaluate(
        """list => {
            const copy = list.cloneNode(true);
            copy.querySelectorAll('.slot').forEach(slot => slot.replaceChildren());
            copy.querySelectorAll('[data-htmx-powered]').forEach(e => e.removeAttribute('data-htmx-powered'));
            return copy.outerHTML.replace(/>\\s+/g, '>').replace(/\\s+</g, '<');
        }"""
    )


def assert_as_reloaded(page, open_page, site, post):
    """The comments on ``page`` are those of a fresh page, element by element, and so is their number."""
    fresh = open_page(site)
    fresh.goto(f"/posts/{post.slug}/")
    expect(page.locator("#comment-count")).to_have_text(fresh.locator("#comment-count").inner_text())
    assert rendered(page) == rendered(fresh)
    fresh.close()
