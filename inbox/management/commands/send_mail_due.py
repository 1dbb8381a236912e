from collections import Counter

from django.core.management.base import BaseCommand, CommandError

from inbox.mail import send_due
from inbox.models import EmailDigest


class Command(BaseCommand):
    help = (
        "Sends the mails that are due. The site does that by itself; this does it sooner, or in its stead. "
        "Any number of them may run at once, and beside the site."
    )

    def handle(self, **options):
        became = Counter()
        while EmailDigest.is_any_due() and not became["unreachable"]:
            became += send_due()
        self.stdout.write(f"Sent {became['sent']}, refused for now {became['refused']}.")
        if became["unreachable"]:
            raise CommandError("The mail server cannot be reached. What is due waits; run again in a minute.")
