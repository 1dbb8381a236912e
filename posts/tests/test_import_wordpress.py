"""Alice and Bob move in from WordPress; Carol, who is staff here, must not notice."""

import tracemalloc
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from threading import Thread
from xml.sax.saxutils import escape

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from live.models import Head
from live.testing import grows_as_its_input
from people.models import Person
from posts import wordpress
from posts.models import FRONT, Comment, Post, Tag

AUTHOR = "<wp:author><wp:author_id>7</wp:author_id><wp:author_login>alice</wp:author_login>"
AUTHOR += "<wp:author_email>alice@example.org</wp:author_email>"
AUTHOR += "<wp:author_display_name><![CDATA[Alice A.]]></wp:author_display_name></wp:author>"


def wxr(*parts, version="1.2", scheme="http", language="en-US", doctype=""):
    space = f"{scheme}://wordpress.org/export/{version}/"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n{doctype}<rss version="2.0" xmlns:wp="{space}"'
        f' xmlns:excerpt="{space}excerpt/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/">\n<channel><title>Old blog</title>'
        f"<link>http://old.example</link><language>{language}</language>"
        f"<wp:wxr_version>{version}</wp:wxr_version>"
        "<wp:base_blog_url>http://old.example</wp:base_blog_url>\n"
        + "\n".join([AUTHOR, *parts])
        + "\n</channel></rss>\n"
    )


def item(number, *inner, content="Text.", terms="", **fields):
    """A post of Alice's, published unless ``fields`` (local names of ``wp:`` elements) say otherwise."""
    fields = {
        "post_id": number,
        "post_date": "2020-01-02 05:04:05",
        "post_date_gmt": "2020-01-02 03:04:05",
        "post_name": f"post-{number}",
        "post_type": "post",
        "status": "publish",
        "comment_status": "open",
    } | fields
    title, creator = fields.pop("title", f"Title {number}"), fields.pop("creator", "alice")
    return (
        f"<item><title>{escape(title)}</title><dc:creator>{escape(creator)}</dc:creator>"
        f"<guid>http://old.example/?p={number}</guid><pubDate>{fields.pop('pubDate', '')}</pubDate>"
        f"<content:encoded><![CDATA[{content}]]></content:encoded>"
        f"<excerpt:encoded>{escape(fields.pop('excerpt', ''))}</excerpt:encoded>"
        + _elements(fields)
        + terms
        + "".join(inner)
        + "</item>"
    )


def comment(number, parent=0, content="Well said.", minute=0, **fields):
    fields = {
        "comment_id": number,
        "comment_author": "Bob",
        "comment_date_gmt": f"2020-01-03 00:{minute or number % 60:02}:00",
        "comment_approved": "1",
        "comment_type": "",
        "comment_parent": parent,
        "comment_user_id": 0,
        "comment_content": content,
    } | fields
    return f"<wp:comment>{_elements(fields)}</wp:comment>"


def _elements(fields):
    return "".join(f"<wp:{name}>{escape(str(value))}</wp:{name}>" for name, value in fields.items())


@pytest.fixture
def load(tmp_path, db):
    """Imports a text (str or bytes) and returns what the command prints."""

    def load(export, **options):
        file = tmp_path / "export.xml"
        file.write_bytes(export if isinstance(export, bytes) else export.encode())
        out = StringIO()
        try:
            call_command("import_wordpress", str(file), stdout=out, **options)
        finally:
            load.said = out.getvalue()
        return load.said

    return load


def rows():
    return {model: list(model.objects.order_by("pk").values()) for model in (Person, Tag, Post, Comment, Head)}


# Once and again


def test_a_post_arrives_with_all_that_belongs_to_it(load):
    terms = '<category domain="category" nicename="news">News &amp;amp; more</category>'
    terms += '<category domain="post_tag" nicename="%ce%b1%ce%b2">αβ</category>'
    terms += '<category domain="post_format" nicename="post-format-quote">Quote</category>'
    category = "<wp:category_nicename>news</wp:category_nicename><wp:cat_name>News &amp;amp; more</wp:cat_name>"
    export = wxr(
        f"<wp:category>{category}</wp:category>",
        item(1, comment(1), title="Fish &amp; <em>chips</em>", terms=terms, excerpt="<p>Short.</p>"),
        item(2, post_type="page", comment_status="closed", post_name="%ce%b5%cf%80-2"),
        item(3, post_type="attachment", status="inherit"),
    )
    said = load(export)
    post, page = Post.objects.order_by("pk")
    assert (post.title, post.summary, str(post.author)) == ("Fish & chips", "Short.", "Alice A.")
    assert post.published_at == post.created_at == datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert {(tag.slug, tag.name) for tag in post.tags.all()} == {("news", "News & more"), ("αβ", "αβ")}
    assert (post.status, post.language, post.comments_open, post.comment_count) == ("published", "en", True, 1)
    assert (page.is_page, page.comments_open, page.slug) == (True, False, "επ-2")
    assert 'added  post  "Fish & chips"  /posts/post-1/  1 comment\n' in said
    assert 'skipped  attachment  "Title 3": neither a post nor a page\n' in said
    assert "Added: 1 author, 1 tag, 1 comment, 1 post, 1 page.\nKept: nothing.\nSkipped: 1 attachment.\n" in said


def test_a_second_run_adds_nothing(load):
    export = wxr(item(1, comment(1), comment(2, parent=1)), item(2, status="draft"))
    load(export)
    before = rows()
    said = load(export)
    assert len(before[Post]) == len(before[Comment]) == 2
    assert rows() == before
    assert "Added: nothing." in said and 'kept  post  "Title 1"' in said


def test_a_dry_run_changes_nothing(load):
    before = rows()
    said = load(wxr(item(1, comment(1))), dry_run=True)
    assert rows() == before
    assert 'added  post  "Title 1"  /posts/post-1/  1 comment' in said and "dry run" in said


def test_a_comment_that_came_later_joins_its_thread_and_edits_here_stay(load):
    load(wxr(item(1, comment(1))))
    Post.objects.update(title="Edited here")
    seen = Head.objects.get(kind="posts.post").head
    said = load(wxr(item(1, comment(1), comment(2, parent=1)), item(2)).replace("http://old", "https://old"))
    first, later = Comment.objects.order_by("pk")
    post = first.post
    assert (post.title, post.comment_count, later.parent) == ("Edited here", 2, first)
    assert later.born == later.changed == Head.objects.get(kind="posts.post", key=post.pk).head == seen + 1
    assert 'kept  post  "Title 1"  /posts/post-1/  1 comment\n' in said and 'added  post  "Title 2"' in said


def test_a_post_ticks_once_whatever_its_comments(load):
    load(wxr(item(1, *map(comment, range(1, 30))), item(2, post_type="page")))
    post = Post.objects.get(slug="post-1")
    assert Head.objects.get(kind="posts.post", key=post.pk).head == 1
    assert set(post.comments.values_list("born", "changed")) == {(1, 1)}
    assert Head.objects.get(kind="posts.frontpage", key=FRONT.pk).head == Post.objects.count() == 2


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_every_spelling_of_the_namespaces_is_read(load, version, scheme):
    load(wxr(item(1, comment(1), excerpt="Short."), version=version, scheme=scheme))
    assert Post.objects.get().summary == "Short." and Comment.objects.exists()


@pytest.mark.parametrize(("blogs", "ours"), [("en-US", "en"), ("zh-TW", "zh-hans"), ("fr", "en"), ("", "en")])
def test_the_blogs_language(load, blogs, ours):
    load(wxr(item(1), language=blogs))
    assert Post.objects.get().language == ours


# Authors


def test_an_account_of_the_same_name_is_left_as_it_is(load):
    carol = Person.objects.create_superuser("Alice", "carol@example.org", "secret", display_name="Carol")
    load(wxr(item(1), item(2, creator="alice!")))
    assert list(Person.objects.values()) == [{**Person.objects.values().get(), "password": carol.password}]
    assert str(carol) == "Carol" and carol.posts.count() == 2


def test_new_people_have_no_rights_no_password_and_no_email_of_others(load):
    Person.objects.create_user("carol", "alice@example.org")
    load(wxr(item(1, comment(1, comment_user_id=7), comment(2, comment_user_id=8)), item(2, creator="B!b <x>")))
    alice, bob = Person.objects.exclude(username="carol").order_by("pk")
    assert not (alice.is_staff or alice.is_superuser or alice.groups.exists() or alice.has_usable_password())
    assert (alice.email, alice.display_name, bob.username) == ("", "Alice A.", "b-b-x")
    assert list(Comment.objects.order_by("pk").values_list("author", "guest")) == [(alice.pk, "Bob"), (None, "Bob")]


def test_two_logins_that_make_one_username_stay_two_people(load):
    other = AUTHOR.replace(">alice<", ">Alice@<").replace(">7<", ">8<").replace("Alice A.", "Other")
    export = wxr(other, AUTHOR, item(1), item(2, creator="Alice@"))
    load(export)
    load(export)
    assert {str(post.author) for post in Post.objects.all()} == {"Alice A.", "Other"}
    assert Person.objects.count() == 2


# Dates and states


def test_scheduled_and_draft_are_invisible(load):
    load(
        wxr(
            item(1),
            item(2, status="future", post_date_gmt="2090-01-01 00:00:00"),
            item(3, status="future"),
            item(4, status="trash"),
            *(item(n, status=status) for n, status in enumerate(["draft", "pending", "private", "odd"], 5)),
        )
    )
    assert list(Post.objects.public().order_by("pk").values_list("slug", flat=True)) == ["post-1", "post-3"]
    scheduled = Post.objects.get(status="scheduled")
    assert scheduled.published_at.year == 2090 and scheduled.created_at <= timezone.now()
    assert Post.objects.filter(status="draft").count() == 4
    assert 'skipped  post  "Title 4": in the trash' in load.said


def test_absurd_dates_give_way_to_the_next_one(load):
    zero, far = "0000-00-00 00:00:00", "9999-12-31 23:59:59"
    load(
        wxr(
            item(1, post_date_gmt=zero),
            item(2, post_date_gmt=far, post_date="0001-01-01 00:00:00", pubDate="Fri, 03 Jan 2020 00:00:00 +0200"),
            item(3, post_date_gmt=far, post_date=zero, pubDate="Wed, 30 Nov -0001 00:00:00 +0000"),
            item(4, comment(1, comment_date_gmt=zero), status="draft", post_date_gmt=zero),
        )
    )
    first, second, draft = Post.objects.order_by("pk")
    assert first.published_at == datetime(2020, 1, 2, 5, 4, 5, tzinfo=UTC)
    assert second.published_at == datetime(2020, 1, 2, 22, tzinfo=UTC)
    assert draft.published_at is None and draft.comments.get().created_at == draft.created_at
    assert 'skipped  post  "Title 3": none of its dates makes sense' in load.said


def test_a_password_is_kept(load):
    load(wxr(item(1, comment(1), post_password="enter")))
    assert Post.objects.get().password == "enter" and Comment.objects.exists()


# Comments


def test_threads_are_deep_and_in_any_order(load):
    chain = [comment(n, parent=n - 1) for n in range(1, 13)]
    load(wxr(item(1, *reversed(chain), comment(20, minute=50), comment(21, minute=40))))
    deepest = Comment.objects.get(depth=11)
    assert deepest.root == Comment.objects.filter(parent=None).earliest("pk")
    for reply in Comment.objects.exclude(parent=None):
        assert reply.parent_id < reply.pk and reply.parent.depth == reply.depth - 1
    tops = Comment.objects.filter(parent=None).order_by("pk")
    assert list(tops) == list(tops.order_by("created_at")) and len(tops) == 3
    assert Post.objects.get().comment_count == 14


def test_replies_go_round_in_circles_or_nowhere(load):
    circle = [comment(1, parent=3), comment(2, parent=1), comment(3, parent=2), comment(4, parent=4)]
    said = load(wxr(item(1, *circle, comment(5, parent=99), comment(6, parent="x"), comment(7, parent=3))))
    depths = dict(Comment.objects.order_by("origin").values_list("origin", "depth"))
    assert list(depths.values()) == [0, 1, 2, 0, 0, 0, 3]
    assert "7 comments (4 moved to the top: what it answers is missing)" in said


def test_what_is_too_deep_hangs_as_deep_as_it_may(load, settings):
    settings.COMMENT_DEPTH = 3
    said = load(wxr(item(1, *(comment(n, parent=n - 1) for n in range(1, 7)))))
    assert list(Comment.objects.order_by("pk").values_list("depth", flat=True)) == [0, 1, 2, 3, 3, 3]
    assert "(2 moved up: too deep)" in said


def test_pings_and_unapproved_are_skipped(load, settings):
    settings.COMMENT_LENGTH = 50
    said = load(
        wxr(
            item(
                1,
                comment(1, comment_type="pingback"),
                comment(2, comment_type="trackback"),
                comment(3, comment_approved="0"),
                comment(4, comment_approved="spam"),
                comment(5, content="<img src=x>"),
                comment(6, content="long " * 20, comment_type="comment"),
                comment(6),
            )
        )
    )
    assert len(Comment.objects.get().body) == 50 and Post.objects.get().comment_count == 1
    assert "1 pingback, 1 trackback, 1 unapproved, 1 spam, 1 unidentified, 1 empty; 1 cut)" in said


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ('See <a href="http://x.example/a(b)">this [1]</a>', r"See [this \[1\]](http://x.example/a%28b%29)"),
        ('<a href="http://x.example">http://x.example</a>', "http://x.example"),
        ('<a href="javascript:alert(1)">here</a>', "here"),
        ("<em>so </em>it <strong>is</strong>, a &lt; b &amp; c", "*so* it **is**, a < b & c"),
        ("Use <code>a`b</code> or <code>c</code>", "Use `` a`b `` or `c`"),
        ("<pre><code>a\n    b</code></pre>", "```\na\n    b\n```"),
        ("<blockquote>a\n\nb</blockquote>c", "> a\n>\n> b\n\nc"),
        ("<ul>\n<li>a</li>\n<li>b</li>\n</ul>", "- a\n- b"),
        ("One<br>two\n\n     three<script>x()</script> &#1;<h1>four</h1>", "One\ntwo\n\n three \n\nfour"),
        ("<b>" * 50 + "deep", "**" * 20 + "deep" + "**" * 20),
    ],
)
def test_a_comments_html_becomes_markdown(content, text):
    assert wordpress.remark(content) == text


# Texts


@pytest.mark.parametrize(
    ("content", "html"),
    [
        ("One\ntwo\n\nThree", "<p>One<br>\ntwo</p>\n<p>Three</p>"),
        ("A\n<ul>\n<li>b</li>\n</ul>\nC<!--more-->\n\nD", "<p>A</p>\n<ul>\n<li>b</li>\n</ul>\n<p>C</p>\n<p>D</p>"),
        ("<pre>a\n\nb</pre>", "<pre>a\n\nb</pre>"),
        ("<blockquote>a\n\nb</blockquote>", "<blockquote>\n<p>a</p>\n<p>b</p>\n</blockquote>"),
        ("<p>a\nb</p>", "<p>a<br>\nb</p>"),
        ("<!-- wp:paragraph {} -->\n<p>a\nb</p>\n<!-- /wp:paragraph -->", "<p>a\nb</p>"),
        ("a [sic] [1] [[gallery]]", "<p>a [sic] [1] [[gallery]]</p>"),
        ("[embed]http://x.example/v?a=1[/embed]", '<p><a href="http://x.example/v?a=1">http://x.example/v?a=1</a></p>'),
        (
            '[caption id="a" caption="Old"]<img src="i.png">[/caption]',
            '<figure><img src="i.png"><figcaption>Old</figcaption></figure>',
        ),
        (
            '[caption width="9"]<a href="x"><img src="i.png"></a> A <em>b</em>[/caption]\nC',
            '<figure><a href="x"><img src="i.png"></a><figcaption>A <em>b</em></figcaption></figure>\n<p>C</p>',
        ),
    ],
)
def test_a_posts_text_gets_its_implied_paragraphs(content, html):
    assert wordpress.body(content) == (html, [])


def test_other_shortcodes_are_left_out_and_named(load):
    said = load(wxr(item(1, content='A [gallery ids="1,2"] [box]b[/box] [map x="1"]')))
    assert Post.objects.get().body == "<p>A  b</p>"
    assert "left out: [box], [gallery], [map]" in said


def test_nothing_dangerous_comes_in(load):
    bad = (
        '<script>alert(1)</script><p id="comments" onclick="x()" hx-get="/x" hx-swap-oob="true">a</p>'
        '<hx-partial id="badge">b</hx-partial><a data-hx-post="/x" href="javascript:x()">c</a>'
        "<img src=x onerror=x()><template>d</template>"
    )
    load(wxr(item(1, comment(1, content=bad), content=bad, title=bad)))
    post, one = Post.objects.get(), Comment.objects.get()
    for html in (post.html, one.html, post.title):
        assert "a" in html and "b" in html
        for danger in ("alert", "onclick", "onerror", "hx-", "id=", "javascript", "<script", "<template"):
            assert danger not in html


def test_what_is_too_long_is_cut_and_two_slugs_never_meet(load):
    said = load(
        wxr(
            item(1, title="t" * 400, post_name="s" * 300, excerpt="e" * 2000),
            item(2, post_name="s" * 300, title=""),
            item(3, post_name="", title="&#8203;☃", terms='<category domain="post_tag" nicename="">☃</category>'),
        )
    )
    first, second, third = Post.objects.order_by("pk")
    assert (len(first.title), len(first.slug), len(first.summary)) == (300, 200, 1000)
    assert second.slug == "s" * 190 + "-2" and third.slug == "post" and third.tags.get().name == "☃"
    assert "title cut to 300 characters; " in said and "address changed; summary cut to 1000 characters" in said


# Damage and danger


def test_a_damaged_item_is_skipped_and_the_rest_arrives(load):
    nested = "<div>" * 300
    said = load(
        wxr(
            item(1),
            item(2, comment(1), post_password="p" * 101),
            item(3, content=nested),
            item(1, title="Impostor"),
            "<item><title>Nothing</title></item>",
            "<wp:tag/>",
            item(4),
        )
    )
    assert list(Post.objects.order_by("pk").values_list("slug", flat=True)) == ["post-1", "post-4"]
    assert not Comment.objects.exists()
    assert 'skipped  post  "Title 2": password: Ensure' in said
    assert 'skipped  post  "Title 3": its elements are nested too deep' in said
    assert 'skipped  post  "Impostor": another one in the file has its id' in said
    assert 'skipped  item  "Nothing": neither a post nor a page' in said


def test_a_file_cut_off_gives_what_it_has_and_the_whole_one_the_rest(load):
    export = wxr(item(1, comment(1)), item(2), item(3))
    with pytest.raises(CommandError, match=r"cut off or damaged at line 7, .*What stands before that is done"):
        load(export[: export.index("Title 3")])
    assert Post.objects.count() == 2 and "Added: 1 author, 1 comment, 2 posts." in load.said
    load(export)
    assert Post.objects.count() == 3 and Comment.objects.count() == 1


@pytest.mark.parametrize("bad", [b"\xff", b"\x00", b"\x08", b"&nbsp;", b"<b>"])
def test_bad_bytes_are_named_and_what_stood_before_is_kept(load, bad):
    export = wxr(item(1), item(2, title="BAD")).encode().replace(b"BAD", bad)
    with pytest.raises(CommandError, match=r"damaged at line 6, column \d+"):
        load(export)
    assert Post.objects.get().slug == "post-1"


@pytest.mark.parametrize("bad", ["", "hello", "<rss/>", "<rss><channel><item/></channel></rss>", "<a>" * 1000])
def test_what_is_no_export_is_refused(load, bad):
    with pytest.raises(CommandError, match="The file"):
        load(bad)


def test_odd_encodings_are_refused(load):
    for encoding in ("big5", "nonsense"):
        with pytest.raises(CommandError, match="The file"):
            load(wxr(item(1)).replace("UTF-8", encoding))


def test_a_missing_file_is_one_sentence(tmp_path, db):
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        call_command("import_wordpress", str(tmp_path / "none.xml"), stdout=StringIO())


def test_an_entity_bomb_is_refused(load):
    bomb = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha"}">' for n in range(20))
    with pytest.raises(CommandError, match="it is refused"):
        load(wxr(item(1)).replace("Text.", "]]>&e19;<![CDATA[").replace("<rss", f"<!DOCTYPE rss [{bomb}]><rss"))
    assert not Post.objects.exists() and not Person.objects.exists()


def test_an_external_entity_is_refused_and_nothing_is_fetched(load):
    asked = []

    class Trap(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

    with HTTPServer(("127.0.0.1", 0), Trap) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        trap = f"http://127.0.0.1:{server.server_port}/x.dtd"
        for doctype in (f'<!DOCTYPE rss SYSTEM "{trap}">', f'<!DOCTYPE rss [<!ENTITY x SYSTEM "{trap}">]>'):
            with pytest.raises(CommandError, match="it is refused"):
                load(wxr(item(1, title="&x;"), doctype=doctype).replace("&amp;x;", "&x;"))
        server.shutdown()
    assert not asked and not Post.objects.exists()


@pytest.mark.parametrize(
    "part",
    [
        "<",
        "<b>",
        "<a href=x>",
        "<div>",
        "<blockquote>",
        "<!--",
        "[a",
        "[caption]",
        "[a x=",
        " ",
        "\n ",
        "`",
        "<br",
        "<p>",
    ],
)
def test_hostile_markup_takes_no_time_to_speak_of(part):
    def body(text):
        with suppress(ValueError):
            wordpress.body(text)

    assert grows_as_its_input(wordpress.plain, (part * 20_000)[:20_000], (part * 200_000)[:200_000])
    assert grows_as_its_input(wordpress.remark, (part * 4_000)[:4_000], (part * 40_000)[:40_000])
    assert grows_as_its_input(body, (part * 20_000)[:20_000], (part * 200_000)[:200_000])


@pytest.fixture
def large(tmp_path):
    """Makes the file of an export with so many posts of 100 kB each, and returns its path (str)."""

    def make(posts):
        head, tail = wxr("<!-- here -->").split("<!-- here -->")
        with (tmp_path / "large.xml").open("w") as export:
            export.write(head)
            export.writelines(item(n, content="A long paragraph. " * 5700 + "\n\nEnd.") for n in range(1, posts + 1))
            export.write(tail)
        return str(tmp_path / "large.xml")

    return make


@pytest.fixture
def memory():
    """Returns the most memory (int, bytes) in use at a time since the test began."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


def test_reading_takes_the_same_memory_whatever_the_size(large, memory):
    assert sum(1 for _ in wordpress.Export(large(300))) == 301
    assert memory() < 3_000_000


def test_importing_does_too(large, memory, db):
    call_command("import_wordpress", large(100), stdout=StringIO())
    assert Post.objects.count() == 100 and memory() < 9_000_000


HOSTILE = ["xn--a." * 600 + "xn--", "http://" + "xn--a." * 600, "a" + "\u0301\u0316" * 20_000, "[" * 4000]
HOSTILE += ["".join(f"<b class=a{n}><p>" for n in range(2000)), "<div>" * 5000, "[caption caption='" * 2000]
HOSTILE += ["<" * 20_000]


def test_no_text_holds_up_the_import(load):
    items = [item(n, comment(n, content=text), content=text, title=text) for n, text in enumerate(HOSTILE, 1)]
    said = load(wxr(*items, item(99, comment(99))))
    assert Post.objects.filter(slug="post-99").exists() and "nested too deep" in said
    assert Post.objects.count() == len(HOSTILE)
    for kept in (*Post.objects.all(), *Comment.objects.all()):
        assert len(kept.html) <= 10 * len(kept.body) + 2000


def test_an_article_that_is_too_long_is_counted_and_the_reason_is_said(load):
    said = load(wxr(item(1, content="word " * 50_000), item(2)))
    assert "skipped" in said and "at most 200000 characters" in said and "1 post" in said
    assert [post.slug for post in Post.objects.all()] == ["post-2"]
