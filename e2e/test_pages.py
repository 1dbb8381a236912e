"""Pages over HTTP from a real server: what is kept for all, and what never is."""

from urllib.error import HTTPError
from urllib.request import Request, urlopen

from e2e.words import ON_BOTH
from harness.hand import Hand
from live.testing import Page, until
from posts.models import Post


def get(site, path, **headers):
    """→ ``(status, headers, text)``"""
    try:
        with urlopen(Request(site.url + path, headers={k.replace("_", "-"): v for k, v in headers.items()})) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except HTTPError as error:
        return error.code, error.headers, error.read().decode()


def test_a_comment_an_edit_and_a_removal_are_in_the_next_answer(site, post, cast):
    path = f"/posts/{post.slug}/"
    hand = Hand(site, cast[1], post)
    for n in range(20):
        get(site, path)
        get(site, "/")
        hand.write(f"comment {n}")
        assert f"comment {n}" in get(site, path)[2]
        assert f"{n + 2} comments" in get(site, "/")[2]
    assert site.metric("live_kept_page_answers_total") > 0
    with site.orm():
        said = Post.objects.get(pk=post.pk).comments.get(body="comment 7")
    hand.ask(f"{site.url}/comments/{said.pk}/edit/", {"body": "edited", "csrfmiddlewaretoken": hand.token})
    assert "comment 7<" not in get(site, path)[2]
    hand.ask(f"{site.url}/comments/{said.pk}/delete/", {"csrfmiddlewaretoken": hand.token})
    assert "edited" not in get(site, path)[2]


def test_an_unpublished_post_is_gone_from_all_pages(site, post):
    assert post.title in get(site, "/")[2]
    assert get(site, f"/posts/{post.slug}/")[0] == 200
    with site.orm():  # another process does it: the heartbeat will see
        Post.objects.get(pk=post.pk).unpublish()
    until(lambda: get(site, f"/posts/{post.slug}/")[0] == 404 and post.title not in get(site, "/")[2])


def test_pages_of_a_person_are_theirs_alone(site, post, cast):
    path, bob = f"/posts/{post.slug}/", site.cookie(cast[1])
    for _ in range(3):
        _, said, mine = get(site, path, cookie=bob)
        assert said["Cache-Control"] == "private, no-cache" and "Sign out" in mine
        _, said, everybodys = get(site, path)
        assert "public" in said["Cache-Control"] and "Sign out" not in everybodys and "csrf" not in everybodys
        assert {"Cookie", "Accept-Language", "HX-Request", "Accept-Encoding"} <= set(said["Vary"].split(", "))


def test_a_language_that_was_chosen_is_honoured_and_kept_for_nobody(site, post):
    path = f"/posts/{post.slug}/"
    for _ in range(2):
        assert 'lang="zh-hans"' in get(site, path, cookie="django_language=zh-hans")[2]
        assert '<html lang="en">' in get(site, path)[2]
        assert '<html lang="zh-hans">' in get(site, path, accept_language="zh-CN")[2]


def test_a_name_that_changes_changes_on_kept_pages(site, post, cast):
    path = f"/posts/{post.slug}/"
    assert ">carol<" in get(site, path)[2]
    editor = site.account("eve", is_staff=True, is_superuser=True)
    hand = Hand(site, editor, post)
    form = {"username": "carol", "display_name": "Caroline", "email": "c@parley.example", "is_active": "on"}
    form |= {"date_joined_0": "2026-01-01", "date_joined_1": "00:00", "csrfmiddlewaretoken": hand.token}
    hand.ask(f"{site.url}/admin/people/person/{cast[2].pk}/change/", form)
    assert ">Caroline<" in get(site, path)[2]


@ON_BOTH
def test_unknown_hosts_are_refused_even_when_the_page_is_kept(site, post):
    get(site, "/")
    get(site, "/")
    for host in ("evil.example", "127.0.0.1:1@evil.example", ""):
        assert get(site, "/", Host=host)[0] == 400, host


@ON_BOTH
def test_a_process_says_how_it_is(site):
    assert get(site, "/healthz")[:3:2] == (200, "alive\n")
    assert get(site, "/readyz")[:3:2] == (200, "ready\n")
    assert "live_connections" in get(site, "/metrics")[2]
    assert get(site, "/metrics", X_Forwarded_For="127.0.0.1")[0] == 404


def test_a_process_without_redis_is_alive_but_not_ready(wide, redis_server):
    redis_server.kill()
    try:
        assert get(wide[0], "/healthz")[0] == 200
        assert get(wide[0], "/readyz")[:3:2] == (503, "no channel layer\n")
    finally:
        redis_server.start()
    until(lambda: get(wide[0], "/readyz")[0] == 200)


@ON_BOTH
def test_one_person_has_twenty_sockets_and_is_told_so(site, post, cast):
    bob = site.cookie(cast[1])
    pages = [Page(f"{site.url}/posts/{post.slug}/", bob) for _ in range(21)]
    try:
        for page in pages[:20]:
            page.connect()
        for page in pages[:20]:
            page.hear("reading")
        pages[20].connect()
        assert pages[20].hear_close() == 4029
        assert "Too many pages are open" in pages[20].text
        pages[0].close()
        until(lambda: site.metric("live_connections") == 19)
        with Page(f"{site.url}/posts/{post.slug}/", bob) as another:
            another.connect().hear("reading")
    finally:
        for page in pages:
            page.close()
