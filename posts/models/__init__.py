from posts.models.comment import Comment, Revision
from posts.models.moderation import QUEUE, ModerationAction, Purge, Queue, Report, SuspectWord
from posts.models.post import FRONT, FrontPage, Post, Tag
from posts.models.update import LiveUpdate

__all__ = ["FRONT", "QUEUE", "Comment", "FrontPage", "LiveUpdate", "Post", "Purge", "Queue", "Report", "Revision"]
__all__ += ["ModerationAction", "SuspectWord", "Tag"]
