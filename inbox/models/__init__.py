from inbox.models.announcement import BOARD, Announcement, Board, Dismissal
from inbox.models.choices import Follow, Ignore, Mute
from inbox.models.errand import Errand
from inbox.models.letter import Letter
from inbox.models.notification import Cause, Notification, newly_named, read, retract, tell, tell_each

__all__ = ["BOARD", "Announcement", "Board", "Cause", "Dismissal", "Errand", "Follow", "Ignore", "Letter", "Mute"]
__all__ += ["Notification", "newly_named", "read", "retract", "tell", "tell_each"]
