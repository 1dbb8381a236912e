import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models

from live.models import Item


class User(AbstractUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)


class Notebook(models.Model):
    name = models.SlugField(primary_key=True)


class Note(Item):
    notebook = models.ForeignKey(Notebook, models.CASCADE)
    author = models.ForeignKey(User, models.CASCADE)
    text = models.TextField()
