from django.apps import AppConfig
from django.conf import settings
from django.core.checks import Error, Tags, register
from django.utils.translation import gettext_lazy as _


class ModerationConfig(AppConfig):
    name = "moderation"
    verbose_name = _("Moderation")
    default_auto_field = "django.db.models.BigAutoField"


@register(Tags.security, deploy=True)
def check_review(app_configs, **_):
    return [] if settings.REVIEW else [Error("REVIEW=off is for tests and measurements only.", id="moderation.E001")]
