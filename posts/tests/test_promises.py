"""What an open page promises, as a model: any order of changes, cuts and clicks ends in the page that a reload shows.

Real pages and real fragments, but no sockets: the page applies what the hub would send (``live/tests/document.py``).
"""

import random

import pytest
from django.template.loader import render_to_string
from django.test import override_settings

from harness.document import Document, parse
from posts.models import Comment, Post
from posts.streams import PostStream
from posts.tests.conftest import CLIENT_INFO


@pytest.fixture(autouse=True)
def small(settings, monkeypatch):
    """Everything is small, so that all limits are met all the time."""
    settings.COMMENTS_PER_PAGE, settings.REPLIES_PER_PAGE, settings.REPLIES_IN_ALL = 4, 2, 30
    settings.COMMENTS_HELD = 12
    monkeypatch.setattr(PostStream, "limit", 6)


class Model:
    """A reader's page of a post, the ``cast`` who change it, and the ``drafts`` that the reader has begun."""

    def __init__(self, post, cast, newcomer, moderator, seed, path=None):
        self.post, self.cast, self.newcomer, self.moderator = post, cast, newcomer, moderator
        self.random = random.Random(seed)
        self.page = Document(path or post.get_absolute_url(), cast[0])
        self.drafts = {}  # id of a comment -> what is typed below it
        self.answers = []  # asked for and not yet here

    def play(self, steps):
        doings = [self.say, self.say, self.reply, self.reply, self.reply, self.edit, self.remove, self.remove]
        doings += [self.restore, self.wait, self.approve, self.reject, *[self.older, self.more, self.cut] * 2]
        doings += [self.begin, self.begin, self.drop, self.cut, self.come_back, self.much, self.ask, self.be_answered]
        for _ in range(steps):
            self.random.choice(doings)()
            self.page.listen()
            self.assert_drafts()
        self.page.settle()
        self.assert_drafts()

    def some(self, **which):
        rows = list(self.post.comments.filter(**which).order_by("-pk")[:25])
        return self.random.choice(rows) if rows else None

    # What happens

    def say(self):
        self.post.comment(self.random.choice(self.cast), f"comment {self.random.random()}")

    def reply(self):
        if above := self.some(state="shown", depth__lt=3):
            self.post.comment(self.random.choice(self.cast), f"reply {self.random.random()}", above)

    def edit(self):
        if comment := self.some(state="shown"):
            comment.revise(comment.author, f"edited {self.random.random()}")

    def remove(self):
        drafted = self.random.random() < 0.4 and self.some(state="shown", pk__in=self.drafts)
        if comment := drafted or self.some(state="shown"):
            comment.remove(self.random.choice([comment.author, self.moderator]), "off topic")

    def restore(self):
        if comment := self.some(state__in=["removed", "tombstone"], removed_by=self.moderator):
            comment.restore(self.moderator)

    def wait(self):
        with override_settings(REVIEW=True):
            self.post.comment(self.newcomer, f"waiting {self.random.random()}", client_info=CLIENT_INFO)

    def approve(self):
        if comment := self.some(state__in=["waiting", "rejected"]):
            comment.approve(self.moderator)

    def reject(self):
        if comment := self.some(state="waiting"):
            comment.reject(self.moderator, "off topic")

    def much(self):
        for _ in range(5):
            self.random.choice([self.say, self.reply, self.edit, self.remove])()

    # What the reader does

    def click(self, selector):
        if links := self.page.dom.select(selector):
            self.page.follow(self.random.choice(links))

    def older(self):
        self.click("#older-comments a")

    def more(self):
        self.click("[id^=more-replies-] a")

    def begin(self):
        """A reply, to any comment that the page shows: it may be gone already."""
        links = [link for link in self.page.dom.select("[id^=reply-]") if self.there(link)]
        if links:
            link = self.random.choice(links)
            pk = int(link["id"].removeprefix("reply-"))
            self.page.open(link).textarea.string = self.drafts.setdefault(pk, f"draft {self.random.random()}")

    def there(self, link):
        return Comment.objects.filter(pk=link["id"].removeprefix("reply-"), state="shown").exists()

    def drop(self):
        if self.drafts:
            pk = self.random.choice(list(self.drafts))
            del self.drafts[pk]
            self.page.close(self.page.dom.find(id=f"form-{pk}"))

    # What the line does

    def cut(self):
        self.page.connected = False

    def come_back(self):
        self.page.connected = True

    def ask(self):
        if self.page.owes:
            self.answers.append((self.page.ask(), set(self.drafts)))

    def be_answered(self):
        """An answer that was on its way comes, perhaps late; another draft may have been begun meanwhile."""
        if self.answers:
            html, drafts = self.answers.pop(0)
            if drafts >= set(self.drafts):
                self.page.take(html)

    # What was promised

    def assert_drafts(self):
        for pk, text in self.drafts.items():
            [field] = self.page.dom.select(f"#comment-{pk} > #form-{pk} textarea")
            assert field.text == text
        ids = [element["id"] for element in self.page.dom.select("[id]")]
        assert len(ids) == len(set(ids))

    def assert_as_reloaded(self, root=None, before=None):
        """What is visible is what a reload shows, as far as that goes, and all that can be loaded is what there is."""
        fresh = Document(self.page.path, self.cast[0])
        roots = shown(self.page.dom)
        assert roots[: len(shown(fresh.dom))] == shown(fresh.dom)
        for selector in ("#article", "#comment-count"):
            assert self.page.dom.select_one(selector).text == fresh.dom.select_one(selector).text
        while links := self.page.dom.select("#older-comments a, [id^=more-replies-] a"):
            self.page.follow(links[0])
        self.assert_drafts()
        assert tree(self.page.dom.select_one("ol.comments")) == expected(self.post, self.cast[0], root, before)


def shown(dom):
    return [item["id"] for item in dom.select("ol.comments > li") if not is_place(item)]


def is_place(item):
    return bool(item.find("article", recursive=False).get("hx-trigger"))


def tree(items):
    """What the list ``items`` shows: for each comment its id, its body and the same of its replies."""
    found = []
    for item in items.find_all("li", recursive=False):
        below = tree(item.find("ol", recursive=False))
        if is_place(item):
            assert not below, "a place holds nothing but a draft"
        else:
            found.append((item["id"], text_of(item.article), below))
    return found


def text_of(article):
    return article.get("class"), " ".join(article.text.split())


def expected(post, reader, root=None, before=None):
    rows = list(post.comments.seen_by(reader).with_related().order_by("pk"))

    def below(parent):
        return [
            (f"comment-{row.pk}", text_of(parse(body(row)).article), below(row.pk))
            for row in rows
            if row.parent_id == parent
        ]

    roots = below(None)
    if root:
        return [one for one in roots if one[0] == f"comment-{root}"]
    return [one for one in roots[::-1] if not before or int(one[0].removeprefix("comment-")) < before]


def body(comment):
    return render_to_string("partials/posts/comment_body.html", {"comment": comment})


@pytest.fixture
def model(post, bob, carol, alice, person, mallory):
    newcomer = person("dora")

    def model(seed, path=None):
        dice = random.Random(seed)
        for n in range(16):
            root = post.comment(dice.choice([bob, carol]), f"old {n}")
            for m in range(dice.choice([0, 0, 1, 5])):
                post.comment(dice.choice([bob, carol]), f"old {n}, reply {m}", root)
        return Model(post, [bob, carol, alice], newcomer, mallory, seed, path)

    return model


@pytest.mark.parametrize("seed", range(5))
def test_any_order_of_events_ends_in_the_page_that_a_reload_shows(model, seed):
    played = model(seed)
    played.play(50)
    played.assert_as_reloaded()


@pytest.mark.parametrize("seed", range(2))
def test_so_does_a_page_of_earlier_comments(model, post, seed):
    played = model(seed)
    before = post.comments.filter(parent=None).order_by("pk")[6].pk
    played.page = Document(f"{post.get_absolute_url()}?before={before}", played.cast[0])
    played.play(50)
    played.assert_as_reloaded(before=before)


@pytest.mark.parametrize("seed", range(2))
def test_so_does_the_page_of_one_thread(model, post, carol, seed):
    played = model(seed)
    root = post.comments.filter(parent=None).order_by("pk")[5]
    for n in range(5):
        post.comment(carol, f"reply {n} in the thread", root)
    played.page = Document(root.get_absolute_url(), played.cast[0])
    played.some = lambda pick=played.some, **which: None if (one := pick(**which)) and one.pk == root.pk else one
    played.play(50)
    played.assert_as_reloaded(root=root.pk)


def test_the_limits_of_the_model_are_met(model):
    """Else the model would prove little: of what it plays, the rare things do happen."""
    played = model(1)
    met = {"owed": 0, "cut": 0, "places": 0}
    listen = played.page.listen

    def watched():
        listen()
        met["owed"] += played.page.owes
        met["cut"] += not played.page.connected
        met["places"] += any(map(is_place, played.page.dom.select("ol.comments li")))

    played.page.listen = watched
    played.play(120)
    assert all(met.values()), met


def test_what_is_asked_for_again_is_the_reader_s_own(post, bob, carol):
    """A comment of their own that waits is on a page that missed much; it is on nobody else's."""
    post.comment(carol, "the first")
    pages = [Document(post.get_absolute_url(), person) for person in (bob, carol)]
    with override_settings(REVIEW=True):
        waiting = post.comment(bob, "may I", client_info=CLIENT_INFO)
    assert waiting.state == "waiting"
    for n in range(9):
        post.comment(carol, f"missed {n}")
    for page, is_seen in zip(pages, (True, False), strict=True):
        page.settle()
        page.take(page.ask())
        assert ("may I" in page.dom.text) == is_seen
        assert "missed 8" in page.dom.text


def test_further_pages_of_the_front_page_are_kept_current_and_get_nothing_new(alice, settings):
    settings.POSTS_PER_PAGE = 2
    posts = [Post(author=alice, title=f"Post {n}", body="text") for n in range(5)]
    for one in posts:
        one.publish()
    page = Document("/?page=2")
    assert [card.text for card in page.dom.select("#earlier-posts h2")] == ["Post 2", "Post 1"]
    posts[1].title = "A better title"
    posts[1].revise()
    posts[2].unpublish()
    Post(author=alice, title="The newest", body="text").publish()
    page.listen()
    assert [card.text for card in page.dom.select(".cards h2")] == ["A better title"]
    page.settle()


def test_an_answer_made_for_somebody_else_pays_no_debt(post, bob, carol):
    page = Document(post.get_absolute_url(), bob)
    assert page.dom.body["data-person"] == str(bob.pk)
    selectors = page.dom.select_one("#debt")["hx-select-oob:inherited"].split(",")
    theirs = Document(post.get_absolute_url(), carol)
    selectors = [selector.partition(":")[0] for selector in selectors]
    assert page.dom.select_one("#comments") in page.dom.select(",".join(selectors))
    assert not theirs.dom.select(",".join(selectors))


@pytest.mark.parametrize("state", ["upto=0", "upto=x", "open=1&open=x", "more=1.2&more=1&more=x.y", "open=" + "9" * 30])
def test_what_a_page_says_that_it_holds_is_taken_with_care(post, bob, settings, state):
    said = post.comment(bob, "a secret word")
    for n in range(20):
        post.comment(bob, f"comment {n}")
    said.remove(bob)
    page = Document(f"{post.get_absolute_url()}?{state}")
    assert "secret" not in page.dom.text
    assert len(page.dom.select("#comments > li")) <= settings.COMMENTS_HELD + 1
