from django.apps import AppConfig
from django.conf import settings as django_settings
from django.core.checks import Error, Tags, register
from django.utils.module_loading import autodiscover_modules

from live.conf import NAMES, settings


class LiveConfig(AppConfig):
    name = "live"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        autodiscover_modules("streams")


@register(Tags.security, deploy=True)
def check_limits(app_configs: object, **_: object) -> list[Error]:
    """Nobody goes into production without limits, as for a measurement or a test."""
    return [] if settings.LIMITED else [Error('LIVE["LIMITED"] is off: for measurements only.', id="live.E001")]


@register()
def check_names(app_configs: object, **_: object) -> list[Error]:
    """A setting with a typing error would silently have its default."""
    unknown = sorted(set(getattr(django_settings, "LIVE", {})) - NAMES)
    return [Error(f'LIVE has no setting "{name}".', id="live.E002") for name in unknown]
