from django.db import models
from django.utils.translation import gettext_lazy as _


class SuspectWord(models.Model):
    """A text with this word or phrase in it waits for review."""

    word = models.CharField(
        _("word or phrase"),
        max_length=100,
        unique=True,
        help_text=_("Capitals do not matter. A word of Latin letters is found as a whole word only."),
    )

    class Meta:
        ordering = ["word"]
        verbose_name = _("suspect word")
        verbose_name_plural = _("suspect words")

    def __str__(self):
        return self.word
