from django.apps import apps
from django.conf import settings
from django.db import models
from django.utils import timezone

from moderation.rules import REASON_LENGTH, moderates

BATCH = 100  # comments and messages that are purged at a time


class Purge(models.Model):
    """The order to remove all that a person said. The heartbeat carries it on, a batch at a time."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    reason = models.CharField(max_length=REASON_LENGTH)
    created_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["id"], condition=models.Q(done_at=None), name="purges_to_do")]

    def __str__(self):
        return f"{self.person} by {self.by}"

    def carry_on(self):
        """Remove the newest of what is left. Several processes may do so at once."""
        batch = []
        for model in moderated_models() if moderates(self.by) else ():  # who ordered it may be no moderator any more
            left = model.objects.purgeable().filter(author=self.person, created_at__lte=self.created_at)
            batch += left.order_by("-pk")[: BATCH - len(batch)]
        for target in batch:
            target.purge(self.by, self.reason)
        if len(batch) < BATCH:
            self.done_at = timezone.now()
            self.save(update_fields=["done_at"])


def purge_due():
    """Carry on what moderators ordered to be removed."""
    for purge in Purge.objects.filter(done_at=None).select_related("person", "by"):
        purge.carry_on()


def moderated_models():
    """The models (list) that the apps name in ``moderated`` of their AppConfig."""
    return [config.get_model(name) for config in apps.get_app_configs() for name in getattr(config, "moderated", ())]
