import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models

import live


class User(AbstractUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)


class Notebook(live.Watched, models.Model):
    name = models.CharField(max_length=40, primary_key=True)


class Note(live.Item):
    shown_in = "notebook"
    notebook = models.ForeignKey(Notebook, models.CASCADE, related_name="notes")
    author = models.ForeignKey(User, models.CASCADE)
    text = models.TextField()
