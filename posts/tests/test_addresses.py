"""An address that was changed while somebody reads or writes."""

from posts.models import Post


def move(post, slug):
    post.slug = slug
    post.revise()


def test_the_old_address_leads_to_the_new_one(client, post):
    old = post.slug
    move(post, "by-the-sea")
    answer = client.get(f"/posts/{old}/?before=3")
    assert (answer.status_code, answer.url) == (301, "/posts/by-the-sea/?before=3")
    move(post, "at-the-sea")
    assert client.get(f"/posts/{old}/").url == client.get("/posts/by-the-sea/").url == "/posts/at-the-sea/"
    assert client.head(f"/posts/{old}/").status_code == 301


def test_what_was_being_written_arrives(client, post, bob):
    old = post.slug
    move(post, "by-the-sea")
    client.force_login(bob)
    assert (
        client.post(f"/posts/{old}/comments/", {"body": "Still here"}, headers={"HX-Request": "true"}).status_code
        == 200
    )
    assert client.post(f"/posts/{old}/comments/", {"body": "And here"}).status_code == 302
    assert [comment.body for comment in post.comments.order_by("pk")] == ["Still here", "And here"]


def test_an_address_that_is_somebodys_now_is_theirs_and_nobody_gets_an_old_one_by_chance(client, post, alice):
    old = post.slug
    move(post, "by-the-sea")
    again = Post(author=alice, title=post.title)
    again.publish()
    assert again.slug != old
    move(again, old)
    assert client.get(f"/posts/{old}/").status_code == 200
    move(post, old + "-2")
    move(again, "elsewhere")
    assert client.get(f"/posts/{old}/").url == "/posts/elsewhere/"


def test_a_withdrawn_post_tells_nobody_where_it_is(client, post, bob):
    old = post.slug
    move(post, "by-the-sea")
    post.unpublish()
    assert client.get(f"/posts/{old}/").status_code == 404
    client.force_login(bob)
    answer = client.post(f"/posts/{old}/comments/", {"body": "What I typed"})
    html = answer.content.decode()
    assert answer.status_code == 404 and "has been withdrawn" in html and "What I typed</textarea>" in html
    draft = Post(author=post.author, title="A secret")
    draft.revise()
    answer = client.post(f"/posts/{draft.slug}/comments/", {"body": "x y"})
    assert answer.status_code == 404 and "withdrawn" not in answer.content.decode()
