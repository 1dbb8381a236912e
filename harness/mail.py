"""A mail server for the tests: it speaks SMTP on loopback and keeps what it takes."""

import asyncio
import logging
from email import message_from_bytes, policy

from aiosmtpd.controller import Controller

from harness.servers import free_port

logging.getLogger("mail.log").setLevel(logging.WARNING)  # it says every line of its conversations


class MailServer:
    """Within its context it runs, at the same ``port`` each time; ``url`` (str) is for EMAIL_URL.

    ``mails`` (list of EmailMessage) is what it was sent, in order. ``refusals`` maps addresses to what it answers
    instead of taking mail for them. While it is ``silent`` it takes mails and never says so.
    """

    def __init__(self):
        self.port = free_port()
        self.url = f"smtp://127.0.0.1:{self.port}"
        self.mails, self.refusals, self.silent = [], {}, False

    def __enter__(self):
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.controller.start()
        return self

    def __exit__(self, *failure):
        self.controller.stop()

    @property
    def addressees(self):
        """To whom it took mail (list of str), in order."""
        return [mail["To"] for mail in self.mails]

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        while self.silent:
            await asyncio.sleep(0.02)
        return "250 OK"
