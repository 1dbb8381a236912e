from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models


class AboutTarget(models.Model):
    """Mixin: a row about a ``target``, which is a ``Moderated``. With the target it is deleted."""

    target_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
    target_id = models.PositiveBigIntegerField()
    target = GenericForeignKey("target_type", "target_id")

    class Meta:
        abstract = True

    @property
    def target_model(self):
        return ContentType.objects.get_for_id(self.target_type_id).model_class()
