"""Where a bare address begins and ends in what people write, and what working that out costs."""

import re
import time

import pytest

from people.links import address_end
from people.markdown import render_markdown
from posts.markdown import article, article_html

LINK = re.compile(r'<a href="([^"]*)"')
RENDERERS = pytest.mark.parametrize("render", [render_markdown, article])


def hrefs(html):
    return LINK.findall(html)


def texts(html):
    return re.findall(r"<a href=[^>]*>(.*?)</a>", html)


@RENDERERS
@pytest.mark.parametrize(
    "text, address",
    [
        ("看 https://a.example/b。然后继续", "https://a.example/b"),
        ("（详见https://a.example/docs/intro）很有用", "https://a.example/docs/intro"),
        ("「https://a.example/x」と言った", "https://a.example/x"),
        ("‘https://a.example/x’ — “so”", "https://a.example/x"),
        ("«https://a.example/x»…", "https://a.example/x"),
        ("https://a.example/x—he said", "https://a.example/x"),
        ("https://a.example/x！", "https://a.example/x"),
        ("https://a.example/x？", "https://a.example/x"),
        ("https://a.example/x~", "https://a.example/x"),
        ("https://a.example/x～", "https://a.example/x"),
        ("https://a.example/x🎉", "https://a.example/x"),
        ("https://a.example/x\u3000然后", "https://a.example/x"),
        ("https://a.example/x\u200b然后", "https://a.example/x"),
        ("https://a.example然后", "https://a.example"),
        ("https://a.example은 좋다", "https://a.example"),
        ("see https://a.example/b.", "https://a.example/b"),
        ("see https://a.example/b?!", "https://a.example/b"),
        ("(see https://a.example/b)", "https://a.example/b"),
        ("(see https://a.example/b_(c))", "https://a.example/b_(c)"),
        ("[https://a.example/b]", "https://a.example/b"),
        ('"https://a.example/b"', "https://a.example/b"),
        ("**https://a.example/b**是", "https://a.example/b"),
        ("_https://a.example/b_", "https://a.example/b"),
        ("~~https://a.example/b~~", "https://a.example/b"),
        ("https://a.example/b&copy;", "https://a.example/b"),
        ("<https://a.example/b>", "https://a.example/b"),
        ("x https://a.example:8000/b?c=d&e#f, y", "https://a.example:8000/b?c=d&e#f"),
        ("http://localhost:8000/x.", "http://localhost:8000/x"),
        ("http://127.0.0.1/", "http://127.0.0.1/"),
        ("https://a.example/维基/百科", "https://a.example/维基/百科"),
        ("https://a.example/让·雅克", "https://a.example/让·雅克"),
        ("mailto:bob@a.example!", "mailto:bob@a.example"),
        ("www.a.example/__init__.py is it", "www.a.example/__init__.py"),
        ("请看www.a.example/b。", "www.a.example/b"),
        ("www.a.example/?u=@bob", "www.a.example/?u=@bob"),
    ],
)
def test_an_address_ends_where_its_sentence_goes_on(render, text, address, db):
    assert [part.replace("&amp;", "&") for part in texts(render(text))] == [address]


@RENDERERS
@pytest.mark.parametrize(
    "text",
    ["see manage.py and README.md, run.sh; node.js", "a.example/b", "bob@a.example", "awww.a.example"]
    + ["xhttps://a.example", "//a.example/b", "ftp://a.example", "www.a", "www..a.example", "https://", "http://."]
    + ["https://-a.example", "https://bob:secret@a.example/", "https://bob@a.example/", "http\u017f://a.example"]
    + ["https://a.b_c.d_e/"]
    + ["`https://a.example`", "    https://a.example", f"https://{'a' * 64}.example", f"https://{'a.' * 130}example"],
)
def test_no_other_word_becomes_a_link(render, text):
    assert "<a " not in render(text)


@RENDERERS
def test_two_addresses_in_a_row_are_two(render):
    html = render("https://a.example/，https://b.example/、www.c.example")
    assert hrefs(html) == ["https://a.example/", "https://b.example/", "https://www.c.example"]


@RENDERERS
def test_an_address_in_a_link_is_its_text(render):
    html = render("[see https://a.example/__b__ there](https://b.example)")
    assert hrefs(html) == ["https://b.example"] and "https://a.example/__b__" in html


def test_host_names_may_be_of_any_script():
    html = render_markdown("http://例え.テスト/ и https://हिन्दी.भारत/x")
    assert texts(html) == ["http://例え.テスト/", "https://हिन्दी.भारत/x"]
    assert hrefs(html)[0] == "http://xn--r8jz45g.xn--zckzah/"


@pytest.mark.parametrize(
    "render", [render_markdown, article, lambda text: article_html(f'<a href="{text[4:-1]}">x</a>')]
)
@pytest.mark.parametrize(
    "written, followed",
    [
        ("www.a.example/about", "https://www.a.example/about"),
        ("WWW.a.example", "https://WWW.a.example"),
        ("a.com/about?x#y", "https://a.com/about?x#y"),
        ("a.b.org", "https://a.b.org"),
        ("bob@a.example", "mailto:bob@a.example"),
        ("mailto:bob@a.com", "mailto:bob@a.com"),
        ("https://a.example/", "https://a.example/"),
        ("/posts/x/", "/posts/x/"),
        ("#fn1", "#fn1"),
        ("?page=2", "?page=2"),
        ("../x/", "../x/"),
        ("README.md", "README.md"),
        ("docs/a.com", "docs/a.com"),
    ],
)
def test_a_written_address_without_a_scheme_leads_where_it_was_meant(render, written, followed):
    assert hrefs(render(f"[x]({written})")) == [followed]


UNITS = ["xn--a.", "http://xn--a.", "//xn--", "mailto:", "mailto:a@b.", "www.", "www.a.", "www._", "www.a:("]
UNITS += ["https://a_", "https://a:", "https://a@", "https://a&b;", "https://a(", "https://[", "https://a/(]"]
UNITS += ["https://a/&b;", "www.é", "中www.a"]


@RENDERERS
@pytest.mark.parametrize("unit", UNITS)
def test_what_an_address_costs_grows_with_its_length(render, unit):
    """On the thread's clock: eight times the text takes eight times as long, not 64 times, nor does it double."""
    short, long = (cost(render, unit * (n // len(unit))) for n in (1000, 8000))
    assert long < 24 * short + 0.05


def cost(render, text):
    def once():
        began = time.thread_time()
        render(text)
        return time.thread_time() - began

    return min(once() for _ in range(3))


def test_an_attempt_that_fails_looks_no_further_than_a_host_name():
    class Counted(str):
        looks = 0

        def __getitem__(self, at):
            Counted.looks += 1
            return super().__getitem__(at)

    for unit in ["www.", "www._", "https://a_b.", "https://a:(b"]:
        Counted.looks, text = 0, Counted("https://" * (unit == "www.") + unit * 5000)
        address_end(text, 0, len(text))
        assert Counted.looks < 2000
