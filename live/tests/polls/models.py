from django.db import models

import live


class Poll(live.Watched, models.Model):
    question = models.CharField(max_length=200)

    class Meta:
        app_label = "polls"

    def __str__(self):
        return self.question

    def get_absolute_url(self):
        return f"/polls/{self.pk}/"


class Option(live.Item):
    shown_in = "poll"
    poll = models.ForeignKey(Poll, models.CASCADE, related_name="options")
    text = models.CharField(max_length=200)
    votes = models.IntegerField(default=0)

    class Meta:
        app_label = "polls"

    def __str__(self):
        return self.text
