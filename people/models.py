from functools import lru_cache
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import MinLengthValidator, RegexValidator
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from live.ticks import tick
from people.rates import Spent  # noqa: F401  a model of this app, beside its rules
from people.rules import Refused

username_validators = [
    MinLengthValidator(2),
    RegexValidator(r"^[\w.-]+\Z", _("A username may hold letters, digits and the characters “_”, “.” and “-” only.")),
]

HUES = 12


def validate_time_zone(name):
    """Raises ``ValidationError`` unless ``name`` (str) is a zone of the IANA database."""
    if name not in available_timezones():
        raise ValidationError(_("“%(name)s” is not a time zone."), params={"name": name})


@lru_cache(10_000)
def address_of(username):
    """The path of a person's page: remembered, for long threads ask for it often."""
    return reverse("person", args=[username])


class Person(AbstractUser):
    """Somebody with an account. Names are shown by ``str(person)``; ``username`` is the address."""

    username = models.CharField(
        _("username"),
        max_length=30,
        unique=True,
        validators=username_validators,
        error_messages={"unique": _("A user with that username already exists.")},
    )
    first_name = last_name = None
    display_name = models.CharField(_("display name"), max_length=60, blank=True)
    bio = models.TextField(_("about"), max_length=1000, blank=True)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, validators=[validate_time_zone])
    banned_at = models.DateTimeField(_("banned"), null=True, editable=False)
    ban_reason = models.CharField(_("reason of the ban"), max_length=200, blank=True, editable=False)

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")

    def __str__(self):
        return self.display_name or self.username

    def get_absolute_url(self):
        return address_of(self.username)

    def get_full_name(self):
        return str(self)

    get_short_name = get_full_name

    def ban(self, by, reason):
        """Let ``by``, a moderator, close this account with a ``reason`` (str): its sessions and sockets end.

        Banning again changes nothing. Raises ``Refused``; ``PermissionDenied`` for one of the staff's accounts, which
        only a superuser closes.
        """
        if self.pk == by.pk or (self.is_staff and not by.is_superuser):
            raise PermissionDenied
        if not reason.strip():
            raise Refused(_("Say why you ban this person."))
        with transaction.atomic():
            tick(self)
            self.refresh_from_db()
            if self.banned_at:
                return
            self.banned_at, self.ban_reason, self.is_active = timezone.now(), reason.strip(), False
            self.save(update_fields=["banned_at", "ban_reason", "is_active"])

    @property
    def initials(self):
        """One letter of each of the first two words of the name, or its first one or two letters."""
        words = str(self).split()
        letters = words[0][0] + words[1][0] if len(words) > 1 else str(self)[:1]
        return letters.upper()

    @property
    def avatar(self):
        """A drawing of the initials on a colour that follows from the person (safe SVG)."""
        return format_html(
            '<svg class="avatar hue-{}" viewBox="0 0 40 40" aria-hidden="true">'
            '<circle cx="20" cy="20" r="20"/><text x="20" y="20">{}</text></svg>',
            self.pk % HUES if self.pk else 0,
            self.initials,
        )


class Names:
    """The names of people and tags, which stand on many pages, as something that can be watched."""

    pk = 1


NAMES = Names()
