import secrets
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
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

import live
from live.ticks import tick
from people import account_deletion
from people.addresses import FormerAddress, username_is_kept
from people.endings import EndedSession
from people.rates import TOO_OFTEN, RateLimit, consume  # noqa: F401  RateLimit is a model of this app, beside its rules
from people.rules import Refused, normalize

username_validators = [
    MinLengthValidator(2),
    RegexValidator(r"^[\w.-]+\Z", _("A username may hold letters, digits and the characters “_”, “.” and “-” only.")),
    # ".." is a step upwards in an address: nobody could follow, ignore, block or answer such a person.
    RegexValidator(r"^[^\W_](.*[^\W_])?\Z", _("A username begins and ends with a letter or a digit.")),
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


class Person(live.Watched, AbstractUser):
    """Somebody with an account. Names are shown by ``str(person)``; ``username`` is the address.

    The row outlives the account: closed, it holds nothing personal, and what stays of a person is shown under it.
    """

    class Mail(models.TextChoices):
        OFF = "off", _("Never")
        AT_ONCE = "at_once", _("At once")
        BUNDLED = "bundled", _("Bundled")
        DAILY = "daily", _("Once a day")

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
    bio_html = models.TextField(editable=False, blank=True)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, validators=[validate_time_zone])
    mail = models.CharField(
        _("mails"),
        max_length=10,
        choices=Mail,
        default=Mail.BUNDLED,
        help_text=_("Of what you have not read on the site after ten minutes."),
    )
    appear_offline = models.BooleanField(
        _("appear offline"), default=False, help_text=_("Nobody sees that you are here, or that you are typing.")
    )
    banned_at = models.DateTimeField(_("banned"), null=True, editable=False)
    ban_reason = models.CharField(_("reason of the ban"), max_length=200, blank=True, editable=False)
    deleted_at = models.DateTimeField(_("closed"), null=True, editable=False)

    SHOWN = {"display_name", "bio"}  # what others' pages show of one's profile

    class Meta:
        permissions = [("ban_person", _("Can ban people"))]
        verbose_name = _("person")
        verbose_name_plural = _("people")

    def __str__(self):
        return gettext("deleted person") if self.deleted_at else self.display_name or self.username

    def get_absolute_url(self):
        return address_of(self.username)

    def get_full_name(self):
        return str(self)

    get_short_name = get_full_name

    def save(self, *arguments, update_fields=None, **options):
        """Render what the person says of themselves whenever it may have changed: never when it is read."""
        from people.markdown import render_markdown  # which looks for people whom a text names

        if update_fields is None or "bio" in update_fields:
            self.bio_html = render_markdown(self.bio) if self.bio else ""
            update_fields = update_fields and {*update_fields, "bio_html"}
        may_rename = self.pk and (update_fields is None or "username" in update_fields)
        before = may_rename and Person.objects.filter(pk=self.pk).values_list("username", flat=True).first()
        super().save(*arguments, update_fields=update_fields, **options)
        if not self.deleted_at:
            FormerAddress.note(self, before, self.username)

    def clean(self):
        super().clean()
        if username_is_kept(self.username, self.pk):
            raise ValidationError({"username": _("A user with that username already exists.")})

    # Verbs

    def revise(self, fields, address=None):
        """Save the ``fields`` (list of str) of the profile or the preferences that the person changed at ``address``.

        What other pages show of a person drops all pages that are kept: so it is limited. Raises ``TooFast``.
        """
        with transaction.atomic():
            consume("profile", self, address, TOO_OFTEN)
            self.save(update_fields=fields)
            if self.SHOWN.intersection(fields):
                tick(DISPLAY_NAMES)

    def ban(self, by, reason):
        """Shut the person out as ``by`` (Person), who says why (``reason``, str): it is told to the banned.

        Banning again changes the reason. Raises ``Refused`` without a reason, and ``PermissionDenied``.
        """
        reason = normalize(reason)
        if not reason:
            raise Refused(_("Say why you ban this person."))
        if not self.bannable_by(by):
            raise PermissionDenied
        with transaction.atomic():
            self.is_active = False
            self.banned_at = timezone.now()
            self.ban_reason = reason[:200]
            self.save(update_fields=["is_active", "banned_at", "ban_reason"])
            self.end_sessions()

    def unban(self, by):
        """Let a banned person in again. Raises ``PermissionDenied``."""
        if not self.bannable_by(by):
            raise PermissionDenied
        with live.change(DISPLAY_NAMES):
            self.is_active = True
            self.banned_at = None
            self.ban_reason = ""
            self.save(update_fields=["is_active", "banned_at", "ban_reason"])

    def delete_account(self, comments_stay):
        """Close the account for good, as the person wishes; the other apps' things first
        (``people/account_deletion.py``).

        Raises ``Refused`` if nobody else could administer the site.
        """
        if (
            self.is_superuser
            and not Person.objects.filter(is_superuser=True, is_active=True).exclude(pk=self.pk).exists()
        ):
            raise Refused(_("Nobody else could administer this site. Give somebody the rights first."))
        for handler in account_deletion.handlers:
            handler(self, comments_stay=comments_stay)
        with transaction.atomic():
            self.end_sessions()
            self.emailaddress_set.all().delete()
            self.authenticator_set.all().delete()
            self.groups.clear()
            self.user_permissions.clear()
            now = timezone.now()
            empty = Person(pk=self.pk, is_active=False, date_joined=now, deleted_at=now)
            empty.username = f"deleted-{secrets.token_hex(8)}"
            empty.set_unusable_password()
            empty.save()
        self.refresh_from_db()

    def end_sessions(self):
        """Sign the person out everywhere: their open pages are told, and kept pages that name them are dropped."""
        with live.change(self, DISPLAY_NAMES):
            sessions = list(self.usersession_set.all())
            EndedSession.note(EndedSession.Reason.ENDED, *(session.session_key for session in sessions))
            for session in sessions:
                session.end()

    def announce_new_password(self, *kept):
        """Let the open pages know: their sessions are over, but for those with the keys ``kept`` (str)."""
        with live.change(self):
            ended = self.usersession_set.exclude(session_key__in=kept).values_list("session_key", flat=True)
            EndedSession.note(EndedSession.Reason.PASSWORD, *ended)

    # Questions

    def bannable_by(self, person):
        """Whether ``person`` may ban and unban this one: of those with rights of their own only a superuser."""
        if self.pk == person.pk or self.deleted_at or not person.has_perm("people.ban_person"):
            return False
        return person.is_superuser or not (self.is_staff or self.is_superuser or self.groups.exists())

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


class DisplayNames:
    """The names of people and tags, which stand on many pages, as something that can be watched."""

    pk = 1


DISPLAY_NAMES = DisplayNames()
