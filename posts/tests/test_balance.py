"""HTML from elsewhere, balanced: the same text and structure, at a cost that grows with its length."""

import random
import re
import time

import pytest
from django.utils.html import strip_tags

from posts import wordpress
from posts.balance import balanced
from posts.markdown import KEPT, article_html

TAGS = ["a", "b", "i", "code", "p", "div", "li", "ul", "ol", "dl", "dd", "dt", "table", "tbody", "tr", "td", "th"]
TAGS += ["h1", "h2", "pre", "blockquote", "span", "details", "figure"]
ODD = ["svg", "math", "select", "option", "button", "form", "font", "nobr", "frameset", "template", "iframe", "ruby"]
PIECES = [f"<{name}>" for name in TAGS + ODD + ["br", "hr"]] + [f"</{name}>" for name in TAGS + ODD]
PIECES += ["<b class=a%d>", '<code class="language-%d">', "<a href=/%d>", "<font size=%d>", "<", "</", "&", "x"]
PIECES += [" ", "\n", '"', "'", "=", "<a ", "<a b='", '<a b="', "<!", "<?", "<![CDATA["]


def fuzzed(seed, count, length):
    chance = random.Random(seed)
    for _ in range(count):
        unit = "".join(chance.choices(PIECES, k=chance.randint(1, 4)))
        start = chance.choice(["", "", "<b>", "<table>", "<svg>", "<p>", "<b class=a><b class=b><i class=c>"])
        body = "".join(unit.replace("%d", str(n)) for n in range(length // len(unit) + 1))
        yield (start + body)[:length]


def cost(render, text):
    began = time.thread_time()
    render(text)
    return time.thread_time() - began


@pytest.mark.parametrize(
    "html, left",
    [
        ("<p>a<p>b", "<p>a</p><p>b</p>"),
        ("<p>a<div>b</div></p>", "<p>a</p><div>b</div>"),
        ("<ul><li>a<li>b<ul><li>c</ul></ul>", "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>"),
        ("<dl><dt>a<dd>b<dt>c</dl>", "<dl><dt>a</dt><dd>b</dd><dt>c</dt></dl>"),
        ("<b><i>a</b>b</i>", "<b><i>a</i></b>b"),
        ("<table><tr><td>a<td>b<tr><td>c</table>", "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>"),
        ("<table><tr><td></b></div>a</table>", "<table><tr><td>a</td></tr></table>"),
        ("<td>a</td>", "a"),
        ("<font color=red>a</font>", "a"),
        ("<h2>a<h3>b</h3>", "<h2>a</h2><h3>b</h3>"),
        ("<a href=x>a<a href='y'>b</a>", "<a href=x>a</a><a href='y'>b</a>"),
        ('<img src="/a" alt="1 > 0" onload=x><br/>', '<img src="/a" alt="1 > 0"><br>'),
        ("a < b <é <", "a &lt; b &lt;é &lt;"),
        ("a<!-- b -->c<?php d ?>e", "ace"),
        ("a<b", "a&lt;b"),
        ("a<script>b</script>c", "ac"),
    ],
)
def test_what_browsers_forgive_is_mended(html, left):
    assert balanced(html, KEPT) == left


def test_words_that_stand_too_deep_stay():
    html = article_html("<div>" * 300 + "<b>deep</b>" + "</div>" * 300 + "<p>after</p>")
    assert "deep" in html and "<p>after</p>" in html and html.count("<div>") == 50


def test_balanced_html_is_well_nested_and_loses_no_word():
    chance = random.Random(3)
    for _ in range(300):
        pieces = [chance.choice(PIECES[: PIECES.index("<b class=a%d>")]) + f"w{n} " for n in range(40)]
        html = balanced("".join(pieces), KEPT)
        open_ = []
        for closing, name in re.findall(r"<(/?)([a-z0-9]+)", html):
            if closing:
                assert open_.pop() == name
            elif name not in ("br", "hr"):
                open_.append(name)
        assert not open_
        words = strip_tags(article_html("".join(pieces))).split()
        assert sorted(words) == sorted(f"w{n}" for n in range(40))  # tables put words before themselves


@pytest.mark.parametrize("render", [article_html, wordpress.remark, lambda text: wordpress.body(text)[0]])
def test_html_made_for_parsers_costs_little_and_stays_in_proportion(render):
    most = 10 * min(cost(render, "<p>Lorem ipsum dolor.</p>\n" * 320) for _ in range(3)) + 0.2
    for text in fuzzed(5, 100, 8000):
        try:
            if cost(render, text) > most:
                assert cost(render, text) < most, text[:80]
            assert len(render(text)) <= 10 * len(text) + 2000, text[:80]
        except ValueError as error:
            assert "nested too deep" in str(error)  # and the import says so of the item


@pytest.mark.parametrize(
    "unit",
    ["<b class=a%d><p>", "<font size=%d><p>", "<div>", "<table><tr><i class=a%d><h1>", "<p a%d", "<a b='", "<!--"],
)
def test_what_html_costs_grows_with_its_length(unit):
    short, long = ("".join(unit.replace("%d", str(n)) for n in range(size // len(unit))) for size in (4000, 32_000))
    assert min(cost(article_html, long) for _ in range(2)) < 24 * min(cost(article_html, short) for _ in range(3)) + 0.1
