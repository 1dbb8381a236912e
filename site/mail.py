"""Where mails go while no mail server is named (``EMAIL_URL``)."""

import logging

from django.core.mail.backends.base import BaseEmailBackend

logger = logging.getLogger("parley")


class Unsent(BaseEmailBackend):
    """Sends nothing, and says so in the log: to whom and about what, but never the text.

    Whoever reads the log must not be able to set somebody's password with the link in a mail.
    """

    def send_messages(self, messages):
        for message in messages:
            receivers = ", ".join(message.recipients())
            logger.warning("No mail server: not sent to %s: %s (set EMAIL_URL)", receivers, message.subject)
        return len(messages)
