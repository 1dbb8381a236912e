from inbox.models.announcement import ANNOUNCEMENTS, Announcement, Announcements, Dismissal
from inbox.models.email_digest import EmailDigest
from inbox.models.fan_out import FanOut
from inbox.models.notification import (
    Notification,
    NotificationSource,
    newly_named,
    notify,
    notify_each,
    read,
    withdraw_notifications,
)
from inbox.models.subscriptions import Follow, Ignore, Mute

__all__ = [
    "ANNOUNCEMENTS",
    "Announcement",
    "Announcements",
    "Dismissal",
    "EmailDigest",
    "FanOut",
    "Follow",
    "Ignore",
    "Mute",
    "NotificationSource",
]
__all__ += ["Notification", "newly_named", "notify", "notify_each", "read", "withdraw_notifications"]
