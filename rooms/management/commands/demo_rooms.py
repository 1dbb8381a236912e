import tomllib
from datetime import timedelta
from pathlib import Path

from django.core.management.base import BaseCommand
from django.utils import timezone

from people.models import Person
from rooms.models import Room

FILE = Path(__file__).resolve().parents[2] / "demo.toml"


class Command(BaseCommand):
    help = "Make the demonstration's rooms, in which the people of `manage.py demo` talk."
    help += " With rooms there, or without these people, do nothing."

    def handle(self, **options):
        if Room.objects.exists() or not Person.objects.exists():
            return
        people = {person.username: person for person in Person.objects.all()}
        for told in tomllib.loads(FILE.read_text())["rooms"]:
            room = Room(name=told["name"], topic=told["topic"])
            room.revise()
            before = None
            for line in told["lines"]:
                message = room.say(people[line["by"]], line["text"])
                message.created_at = timezone.now() - timedelta(minutes=line["ago"])
                message.place_after(before)
                message.save()
                before = message
