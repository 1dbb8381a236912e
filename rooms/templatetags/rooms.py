from django import template
from django.contrib.contenttypes.models import ContentType

from rooms.models import Room

register = template.Library()


@register.simple_tag
def room_about(thing):
    """The open room that was made about ``thing`` (a stored object), or None."""
    kind = ContentType.objects.get_for_model(thing)
    return Room.objects.public().filter(about_type=kind, about_id=thing.pk).first()
