from django.apps import AppConfig
from django.conf import settings
from django.core.checks import Error, Tags, register
from django.utils.module_loading import autodiscover_modules


class LiveConfig(AppConfig):
    name = "live"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        autodiscover_modules("streams")


@register(Tags.security, deploy=True)
def check_rates(app_configs, **_):
    """Nobody goes into production with the limits of a measurement, or of a test."""
    limited = settings.RATES and settings.RATES_OF
    return [] if limited else [Error("RATES=off and RATES=sockets are for measurements only.", id="live.E001")]
