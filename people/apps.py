from django.apps import AppConfig
from django.conf import settings
from django.core.checks import Error, Tags, register
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class PeopleConfig(AppConfig):
    name = "people"
    verbose_name = _("People")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from people.sessions import connect_signals

        connect_signals()
        autodiscover_modules("export", "account_deletion")


@register(Tags.security, deploy=True)
def check_rates(app_configs, **_):
    """Nobody goes into production with the limits of a measurement, or of a test."""
    return [] if settings.RATES_OF else [Error("RATES=off and RATES=sockets are for measurements.", id="people.E001")]
