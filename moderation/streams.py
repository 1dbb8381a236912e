"""The queue: what waits for moderators, in numbers, on every page of the admin."""

from live import fragments
from live.heartbeat import periodic_task
from live.streams import Stream, register
from moderation.models import Queue, Report, Reviewed, moderated_models
from moderation.models.purge import purge_due
from moderation.rules import moderates

periodic_task(purge_due)


@register(Queue)
class QueueStream(Stream):
    """Two numbers."""

    rank = 1  # after what is reported, and before the people who are told

    def allows(self, person):
        return moderates(person)

    def totals(self):
        return fragments.join(fragments.text(count, f"#queue-{name}") for name, count in waiting().items())


def waiting():
    """How many texts (dict of str to int) wait for review, and how many are reported."""
    return {
        "waiting": sum(model.objects.waiting().count() for model in reviewed_models()),
        "reported": Report.objects.open().values("target_type", "target_id").distinct().count(),
    }


def reviewed_models():
    return [model for model in moderated_models() if issubclass(model, Reviewed)]
