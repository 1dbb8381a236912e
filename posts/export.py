"""What a person finds of their own posts and comments in the export of their data."""

from people.export import exports


@exports("comments")
def comments(person):
    for comment in person.comments.select_related("post").order_by("pk").iterator():
        yield {
            "at": comment.created_at,
            "edited": comment.edited_at,
            "on": str(comment.post) if comment.post.is_known_to(person) else "",
            "address": comment.get_absolute_url(),
            "state": comment.state,
            "text": comment.body,
        }


@exports("posts")
def posts(person):
    for post in person.posts.prefetch_related("tags").order_by("pk").iterator(chunk_size=100):
        yield {
            "at": post.created_at,
            "published": post.published_at,
            "title": post.title,
            "address": post.get_absolute_url(),
            "status": post.status,
            "language": post.language,
            "summary": post.summary,
            "tags": [tag.name for tag in post.tags.all()],
            "format": post.format,
            "text": post.body,
        }
    for update in person.liveupdate_set.select_related("post").order_by("pk").iterator():
        title = str(update.post) if update.post.is_known_to(person) else ""
        yield {"at": update.at, "update of": title, "title": update.title, "text": update.body}
