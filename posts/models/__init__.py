from posts.models.comment import Comment, Revision
from posts.models.post import FRONT, FrontPage, Post, Tag
from posts.models.update import LiveUpdate

__all__ = ["FRONT", "Comment", "FrontPage", "LiveUpdate", "Post", "Revision", "Tag"]
