"""Addresses that things had before: links, and what is being written to them, still arrive."""

from datetime import timedelta

from allauth.core.exceptions import ImmediateHttpResponse
from django.db import models
from django.http import Http404, HttpResponsePermanentRedirect
from django.urls import reverse
from django.utils import timezone

KEPT = timedelta(days=365)  # so long nobody else can have the username that somebody had


class FormerAddress(models.Model):
    """The ``address`` (a slug, a username) that a thing of one ``kind`` ("posts.post") had, by its key."""

    kind = models.CharField(max_length=50)
    address = models.CharField(max_length=200)
    key = models.BigIntegerField()
    until = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "address"], name="one_thing_per_former_address")]

    @classmethod
    def note(cls, thing, before, now):
        """``thing`` (saved) had the address ``before`` (str, or None) until it got the address ``now``."""
        if before and before != now:
            of_kind = cls.objects.filter(kind=thing._meta.label_lower)
            of_kind.filter(address=now).delete()
            new = {"key": thing.pk, "until": timezone.now()}
            of_kind.update_or_create(kind=thing._meta.label_lower, address=before, defaults=new)

    @classmethod
    def of(cls, model):
        """The former addresses (QuerySet) of things of the class ``model``."""
        return cls.objects.filter(kind=model._meta.label_lower)

    @classmethod
    def key_of(cls, model, address):
        """The key (int) of what of the class ``model`` had the ``address``, or None."""
        return cls.of(model).filter(address=address).values_list("key", flat=True).first()


def username_is_kept(username, but=None):
    """Whether somebody, ``but`` the one with this id (int), had the ``username`` until lately (bool)."""
    from people.models import Person

    kept = FormerAddress.of(Person).filter(address__iexact=username, until__gt=timezone.now() - KEPT)
    return kept.exclude(key=but).exists()


def find(things, **address):
    """The one of ``things`` (QuerySet) that has the ``address`` (``slug="…"``, say), or had it. Raises ``Http404``."""
    [value] = address.values()
    found = things.filter(**address).first() or things.filter(pk=FormerAddress.key_of(things.model, value)).first()
    if not found:
        raise Http404
    return found


def lead_on(request, **address):
    """Send whoever asks for a page by a former ``address`` to the one it has now (301), once they may know that.

    What is sent to a former address is taken as it is: the form it comes from is older than the change.
    """
    match = request.resolver_match
    is_current = all(match.kwargs.get(name, now) == now for name, now in address.items())
    if is_current or request.method not in ("GET", "HEAD"):
        return
    query = request.META.get("QUERY_STRING")
    path = reverse(match.view_name, kwargs=match.kwargs | address)
    raise ImmediateHttpResponse(HttpResponsePermanentRedirect(f"{path}?{query}" if query else path))
