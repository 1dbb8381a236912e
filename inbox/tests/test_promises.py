"""Pages of the inbox that are open while much happens."""

from harness.document import Document
from posts.models import Post


def test_a_further_page_of_the_inbox_is_put_right_and_gets_nothing_new(alice, bob, settings):
    settings.NOTIFICATIONS_PER_PAGE = 3
    posts = [Post(author=alice, title=f"Post {n}", body="text") for n in range(70)]
    for post in posts[:8]:
        post.publish()
        post.comment(bob, "hello")
    page = Document("/inbox/?page=2", alice)
    assert "Post 4" in page.dom.select_one("#earlier-notifications").text
    alice.notifications.order_by("at").first().read()
    page.listen()
    assert not page.owes and "Post 4" in page.dom.select_one("#earlier-notifications").text
    page.connected = False
    for post in posts[8:]:
        post.publish()
        post.comment(bob, "hello")
    page.connected = True
    page.listen()
    assert page.owes
    page.settle()
    fresh = Document("/inbox/?page=2", alice)
    assert page.dom.select_one("#earlier-notifications").text == fresh.dom.select_one("#earlier-notifications").text
    assert not page.owes and page.dom.select_one("#badge").text == fresh.dom.select_one("#badge").text
