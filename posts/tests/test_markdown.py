"""Strangers' text: what comes through, and what does not."""

import re
import time

import pytest

from live.testing import grows_as_its_input
from people.markdown import render_markdown
from posts import markdown
from posts.models import LiveUpdate

TRICKS = [
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    '<div hx-get="/evil" hx-trigger="load">x</div>',
    '<p data-hx-post="/evil" hx-swap-oob="true" id="comments">x</p>',
    '<hx-partial hx-target="#live">x</hx-partial>',
    "<template><b>x</b></template>",
    "</article></li></ol><h1>out</h1>",
    "[x](javascript:alert(1))",
    '[x](http://a.example "<hx-partial hx-target=#live hx-swap=delete>")',
    "![x](http://a.example/pixel.png)",
    '<a href="http://a.example" id="live" class="own" style="x" onclick="x" ws-connect="/x">x</a>',
    "# Heading\n\nHeading\n=======\n",
    "`</code><script>1</script>`",
    "<head><title>stolen</title></head>",
]
FORBIDDEN = re.compile(
    r"<[^>]*(\son\w+=|hx-|\sid=|\sstyle=|ws-connect|javascript:)|<(script|template|hx-|h\d|img|head)"
)


@pytest.mark.parametrize("text", TRICKS)
def test_tricks_in_a_comment_come_to_nothing(text):
    assert not FORBIDDEN.search(render_markdown(text))


@pytest.mark.parametrize("text", TRICKS)
def test_tricks_in_html_from_elsewhere_come_to_nothing(text):
    forbidden = re.compile(FORBIDDEN.pattern.replace(r"|h\d|img", ""))
    assert not forbidden.search(markdown.article_html(text))


def test_no_angle_bracket_survives_in_an_attribute():
    """htmx rewrites "<hx-…" wherever it stands, and would break out of the attribute."""
    html = markdown.article_html('<a href="/<hx-a >"><img src="/x" alt="<hx-partial x>"></a>')
    assert "<hx-" not in html
    assert 'alt="‹hx-partial x›"' in html


def test_links_of_readers_are_marked_for_search_engines():
    assert 'rel="nofollow ugc noopener"' in render_markdown("[x](https://a.example) https://b.example")
    assert render_markdown("see https://b.example").count("<a ") == 1


def test_an_article_has_tables_footnotes_code_and_pictures():
    html = markdown.article(
        "| a | b |\n|---|--:|\n| 1 | 2 |\n\nText[^1] ~~old~~\n\n[^1]: Note\n\n"
        "```python\nprint(1)\n```\n\n![sea](/sea.jpg)"
    )
    assert '<td class="align-right">2</td>' in html
    assert 'id="fn1"' in html and 'href="#fn1"' in html
    assert '<span class="nb">print</span>' in html and "language-python" in html
    assert '<img src="/sea.jpg" alt="sea">' in html
    assert "<s>old</s>" in html


@pytest.mark.parametrize("render", [render_markdown, markdown.article])
@pytest.mark.parametrize(
    "text",
    ["[" * 4000, "> " * 2000 + "x", "* " * 2000, "![" * 2000, "**" * 2000, "`" * 4000, "<" * 4000, "[a](" * 1000]
    + ["_a" * 2000, "\\" * 4000, "|" * 4000, "www." * 1000, "http://" * 500, "a@" * 2000, "[^1]" * 1000, "&" * 4000],
)
def test_hostile_text_is_soon_done_with(render, text):
    html = render(text)
    assert grows_as_its_input(render, text[: len(text) // 10], text)
    assert len(html) <= 10 * len(text) + 1000


IDS = re.compile(r' id="([^"]*)"')
NOTES = "Goal[^1] and again[^1], and^[so] on.\n\n[^1]: Source"


def test_footnotes_of_an_article_and_its_updates_are_each_its_own(client, post, alice):
    post.body, post.coverage = NOTES, "live"
    post.revise()
    for _ in range(2):
        LiveUpdate(post=post, author=alice, body=NOTES).revise()
    page = client.get(post.get_absolute_url()).content.decode()
    ids = IDS.findall(page)
    assert len(ids) == len(set(ids)) and sum(name.startswith("fn") for name in ids) == 3 * 5
    for target in re.findall(r'href="#(fn[^"]*)"', page):
        assert target in ids
    update = LiveUpdate.objects.first()
    kept = update.html
    update.revise()
    assert update.html == kept and not update.edited


def test_only_footnotes_give_ids_each_once_and_none_those_of_another_part():
    html = markdown.article_html(
        '<ol><li id="fn1">a</li><li id="fn1">b</li><li id="fn-u7-1">c</li><li id="fn2:1">d</li><li id="x">e</li></ol>'
    )
    assert IDS.findall(html) == ["fn1", "fn2:1"]
    assert IDS.findall(markdown.article("a^[b]", "u7")) == ["fnref-u7-1", "fn-u7-1"]


def test_code_has_colours_as_long_as_they_take_little_time():
    def cost(blocks):
        began = time.thread_time()
        html = markdown.article(("```csharp\n" + "a\n" * 4000 + "```\n\n```json\n[1]\n```\n\n") * blocks)
        assert html.count("a\n") == 4000 * blocks and html.count("<pre>") == 2 * blocks
        return time.thread_time() - began

    assert cost(10) < 3 * cost(1) + 0.5
    assert '<span class="mi">1</span>' in markdown.article("```json\n[1]\n```")
    assert markdown.article("```json\n" + "[1]\n" * 3000 + "```").count("[1]\n") == 3000
