from moderation.models.action import Action
from moderation.models.moderated import Moderated, ModeratedQuerySet
from moderation.models.purge import Purge, moderated_models
from moderation.models.queue import QUEUE, Queue
from moderation.models.report import Report
from moderation.models.reviewed import Reviewed
from moderation.models.suspect_word import SuspectWord

__all__ = ["QUEUE", "Action", "Moderated", "ModeratedQuerySet", "Purge", "Queue", "Report", "Reviewed", "SuspectWord"]
__all__ += ["moderated_models"]
