"""How rows of the inbox point at what other apps own: posts, comments, rooms, messages."""

from django.contrib.contenttypes.models import ContentType


def pointing(field, thing):
    """What a row says whose generic ``field`` (str) points at ``thing``: lookups for filter, values for create."""
    return {f"{field}_type": ContentType.objects.get_for_model(thing), f"{field}_id": thing.pk}
