from posts.models.comment import Closed, Comment, Refused, Revision
from posts.models.post import FRONT, FrontPage, Post, Tag
from posts.models.update import LiveUpdate

__all__ = ["FRONT", "Closed", "Comment", "FrontPage", "LiveUpdate", "Post", "Refused", "Revision", "Tag"]
