from django.db import models


class Head(models.Model):
    """The newest tick of one stream.

    In a table of its own and not on the watched row, because that row's ``save()``
    would write a stale head back.
    """

    kind = models.CharField(max_length=100)
    key = models.CharField(max_length=64)
    head = models.BigIntegerField(default=0)
    moved = models.DateTimeField(
        db_index=True
    )  # by the database's clock; for the heartbeat, which asks what moved lately

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="one_head_per_stream")]


class Lease(models.Model):
    """A process's proof of life. Not renewed for ``lease.LEASE`` seconds, it takes its people along."""

    host = models.CharField(max_length=255)
    pid = models.IntegerField()
    renewed = models.DateTimeField()


class Presence(models.Model):
    """How many tabs of one person one process serves on one stream.

    ``user_id`` is the person's primary key as text; empty stands for all anonymous readers together.
    """

    lease = models.ForeignKey(Lease, on_delete=models.CASCADE)
    stream = models.CharField(max_length=100, db_index=True)
    user_id = models.CharField(max_length=64, blank=True)
    tabs = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lease", "stream", "user_id"], name="one_presence_per_lease")]
