"""Which comments wait, and who is asked about them; and how often one may write."""

from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Event, Thread
from urllib.parse import parse_qs
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.core.checks import run_checks
from django.db import connection
from django.test import Client
from django.utils import timezone

from live.testing import PATIENCE
from moderation import spam
from moderation.models import SuspectWord
from moderation.tests.conftest import CLIENT_INFO
from people.models import Person
from people.rates import TooFast
from people.rules import Refused
from posts.models import Comment

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/posts/a-day-at-the-sea/"}
LINKS = "[a](https://a.example) [b](https://b.example) https://c.example"


@pytest.fixture(autouse=True)
def strangers(settings, forgetful):
    settings.REVIEW = True


@pytest.fixture
def known(post, bob):
    """bob, two of whose comments were shown."""
    for text in ("once", "twice"):
        post.comment(bob, text)
    return bob


def say(post, author, text, *more):
    return post.comment(author, text, *more, client_info=CLIENT_INFO)


def why(comment):
    """Why ``comment`` waits, or the state that it is in."""
    return [(one.kind, one.reason) for one in comment.actions.all()] or comment.state


# Who waits


def test_the_first_two_comments_of_a_new_person_wait_and_the_third_is_shown(post, bob, mallory):
    for text in ("one", "two", "impatient"):
        said = say(post, bob, text)
        assert why(said) == [("new", "")] and said.state == "waiting"
    for said in Comment.objects.filter(body__in=["one", "two"]):
        said.approve(mallory)
    assert why(say(post, bob, "three")) == "shown"


def test_what_was_removed_earns_no_trust(post, known, mallory):
    known.comments.first().remove(mallory, "rude")
    assert why(say(post, known, "hello")) == [("new", "")]


def test_comments_deleted_before_review_earn_no_trust(post, bob):
    for text in ("one", "two"):
        say(post, bob, text).remove(bob)
    assert say(post, bob, "three").state == "waiting"


def test_the_house_and_members_of_a_group_are_never_new(post, bob, alice, mallory):
    bob.groups.add(Group.objects.create(name="Friends"))
    for person in (bob, alice, mallory):
        assert why(say(post, person, LINKS)) == "shown"


def test_many_links_wait_whoever_wrote_them(post, known):
    assert why(say(post, known, "https://a.example and [b](https://b.example)")) == "shown"
    assert why(say(post, known, LINKS)) == [("links", "")]


def test_mentions_mail_addresses_and_file_names_are_no_links(post, known, bob, alice, mallory):
    text = "@bob @alice @mallory see manage.py, README.md and mailto:a@b.example; [x](/posts/) https://a.example"
    assert why(say(post, known, text)) == "shown"


def test_an_edit_is_no_way_past_the_review(post, known):
    said = say(post, known, "harmless")
    with pytest.raises(Refused) as refusal:
        said.revise(known, LINKS, CLIENT_INFO)
    assert refusal.value.messages == [
        "With this text your comment would have to wait for review. Write it as a new one."
    ]
    said.refresh_from_db()
    assert said.body == "harmless"
    said.revise(known, "still harmless", CLIENT_INFO)
    assert said.body == "still harmless"


def test_what_is_wrong_with_an_edit_of_what_waits_is_noted_for_the_moderator(post, bob):
    said = say(post, bob, "harmless")
    said.revise(bob, LINKS, CLIENT_INFO)
    assert (said.state, said.body) == ("waiting", LINKS)
    assert why(said) == [("links", ""), ("new", "")]


def test_a_comment_sent_five_times_waits_once(post, bob):
    key = uuid4()
    assert len({say(post, bob, "hello", None, key).pk for _ in range(5)}) == 1
    assert say(post, bob, "hello").pk == Comment.objects.get().pk
    assert Comment.objects.get().actions.count() == 1


def test_the_review_is_not_turned_off_in_production(settings):
    settings.RATES_OF = {"comment": {"person": [(1, 5)]}}

    def errors():
        return {error.id for error in run_checks(include_deployment_checks=True)} & {"moderation.E001", "people.E001"}

    assert not errors()
    settings.REVIEW = False
    assert errors() == {"moderation.E001"}
    settings.RATES_OF = {}
    assert errors() == {"moderation.E001", "people.E001"}


# Spam checks


@pytest.mark.parametrize(
    "word, text, found",
    [
        ("Casino", "Best CASINO in town", True),
        ("casino", "ＣＡＳＩＮＯ", True),
        ("casino", "casinos", False),
        ("ass", "class assignment", False),
        ("cheap pills", "cheap \n pills!", True),
        ("发票", "代开发票请联系", True),
        ("vx", "加我vx吧", True),
        ("c++", "I know c++ well", True),
        ("(", "a smile :(", True),
    ],
)
def test_a_suspect_word_holds_a_comment(post, known, word, text, found):
    SuspectWord.objects.create(word=word)
    assert why(say(post, known, text)) == ([("held", word)] if found else "shown")


def broken(comment, client_info):
    raise RuntimeError("out of order")


def in_no_transaction(comment, client_info):
    assert not connection.in_atomic_block


def test_a_spam_check_that_fails_holds_the_comment_and_loses_nothing(post, known, settings):
    settings.SPAM_CHECKS = [f"{__name__}.broken"]
    assert why(say(post, known, "hello")) == [("held", "broken: RuntimeError")]
    settings.SPAM_CHECKS = ["nowhere.at_all"]
    assert why(say(post, known, "hello?")) == [("held", "at_all: ModuleNotFoundError")]


@pytest.mark.django_db(transaction=True)
def test_no_lock_is_held_while_a_spam_check_thinks(settings):
    from posts.models import Post

    author = Person.objects.create_user("dan")
    post = Post(author=author, title="A post")
    post.publish()
    settings.SPAM_CHECKS = [f"{__name__}.in_no_transaction"]
    assert why(say(post, author, "hello")) == [("new", "")]


# Akismet, as far as it can be had here: a server that speaks its protocol


@contextmanager
def akismet(settings, answer, tip=None, silent=False):
    """Within, Akismet answers ``answer`` (bytes) with the ``tip``, at the end if ``silent``. → what it was asked"""
    asked, go_on = [], Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            if silent:
                go_on.wait()
            self.send_response(200)
            if tip:
                self.send_header("X-akismet-pro-tip", tip)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        settings.AKISMET_KEY, settings.AKISMET_TIMEOUT = "our-key", 0.1 if silent else PATIENCE
        settings.AKISMET_URL = f"http://127.0.0.1:{server.server_port}/1.1/comment-check"
        yield asked
        go_on.set()
        server.shutdown()
        thread.join()


def test_akismet_is_asked_and_its_ham_is_shown(post, known, settings):
    with akismet(settings, b"false") as asked:
        assert why(say(post, known, "Hello & good day")) == "shown"
    [question] = asked
    assert question["api_key"] == ["our-key"] and question["blog"] == ["https://parley.example/"]
    assert question["user_ip"] == [CLIENT_INFO.address] and question["user_agent"] == ["a browser"]
    assert question["comment_content"] == ["Hello & good day"] and question["comment_author"] == ["bob"]
    assert question["permalink"] == [f"https://parley.example{post.get_absolute_url()}"]
    assert known.email not in str(question)


def test_akismets_spam_waits(post, known, settings):
    with akismet(settings, b"true"):
        assert why(say(post, known, "buy now")) == [("held", "Akismet")]


def test_what_akismet_calls_worthless_is_rejected_told_and_kept(post, known, settings, mallory):
    client = Client()
    client.force_login(known)
    with akismet(settings, b"true", "discard"):
        answer = client.post(f"/posts/{post.slug}/comments/", {"body": "viagra-test-123"}, headers=HTMX)
    assert answer.status_code == 422 and "Your comment was not accepted." in answer.content.decode()
    said = Comment.objects.get(body="viagra-test-123")
    assert (said.state, why(said)) == ("rejected", [("rejected", "Akismet")])
    said.approve(mallory)
    assert said.state == "shown"


def test_an_akismet_that_does_not_answer_the_question_is_no_reason_to_trust(post, known, settings):
    with akismet(settings, b"invalid"):
        assert why(say(post, known, "hello")) == [("held", "akismet: ValueError")]
    assert say(post, known, "nobody listens there any more").state == "waiting"


def test_a_slow_akismet_is_not_waited_for(post, known, settings):
    with akismet(settings, b"false", silent=True):
        assert why(say(post, known, "hello")) == [("held", "akismet: TimeoutError")]


def test_without_a_key_akismet_is_left_alone(post, known, settings):
    settings.AKISMET_URL = "http://127.0.0.1:1/"
    assert spam.akismet(Comment(post=post, author=known, body="hello"), CLIENT_INFO) is None


# How often


@pytest.fixture
def hurried(settings, known, carol):
    """A client of bob's, whose account, as carol's, is no new one any more, under limits."""
    settings.RATES_OF = {"comment": {"person": [(2, 3600)], "new": [(1, 3600)], "address": [(3, 3600)]}}
    Person.objects.update(date_joined=timezone.now() - timedelta(days=2))
    client = Client()
    client.force_login(known)
    return client


def post_comment(client, post, text, key="", **headers):
    return client.post(f"/posts/{post.slug}/comments/", {"body": text, "key": key}, headers=HTMX | headers)


def test_one_comment_too_many_is_refused_with_the_time_to_wait_and_the_text_kept(hurried, post):
    for n in range(2):
        assert post_comment(hurried, post, f"comment {n}").status_code == 200
    for n in range(3):
        claim = {"X-Forwarded-For": f"203.0.113.{n}", "X-Real-IP": f"203.0.113.{n}"}
        answer = post_comment(hurried, post, "one too many", **claim)
        seconds = int(answer["Retry-After"])
        assert answer.status_code == 422 and 0 < seconds <= 3600
        html = answer.content.decode()
        assert f"You are posting too fast. Try again in {seconds} s." in html and 'role="alert"' in html
        assert "one too many" in html
    answer = hurried.post(f"/posts/{post.slug}/comments/", {"body": "one too many"})
    assert answer.status_code == 429 and answer["Retry-After"] and "one too many" in answer.content.decode()
    assert not Comment.objects.filter(body="one too many").exists()


def test_an_attempt_made_again_costs_nothing(hurried, post):
    key = uuid4()
    for _ in range(5):
        assert post_comment(hurried, post, "hello", key).status_code == 200
    assert post_comment(hurried, post, "and more").status_code == 200
    for _ in range(2):
        assert post_comment(hurried, post, "hello", key).status_code == 200
        assert post_comment(hurried, post, "and more").status_code == 200  # the same words
    assert Comment.objects.filter(body__in=["hello", "and more"]).count() == 2
    assert post_comment(hurried, post, "too much").status_code == 422


def test_what_is_refused_costs_nothing(hurried, post):
    for _ in range(3):
        assert post_comment(hurried, post, "").status_code == 422
    post.close_comments()
    for n in range(3):
        assert post_comment(hurried, post, f"too late {n}").status_code == 422
    post.open_comments()
    for n in range(2):
        assert post_comment(hurried, post, f"comment {n}").status_code == 200


def test_people_of_one_address_share_its_limit(hurried, post, carol):
    carol.refresh_from_db()
    for n in range(2):
        assert post_comment(hurried, post, f"comment {n}").status_code == 200
    say_from = {"client_info": CLIENT_INFO._replace(address="127.0.0.1")}
    post.comment(carol, "third", **say_from)
    with pytest.raises(TooFast):
        post.comment(carol, "fourth", **say_from)
    post.comment(carol, "fourth", client_info=CLIENT_INFO)


def test_a_spam_check_is_not_asked_about_what_is_too_fast_anyway(hurried, post, settings):
    with akismet(settings, b"false") as asked:
        for n in range(5):
            post_comment(hurried, post, f"comment {n}")
    assert len(asked) == 2
