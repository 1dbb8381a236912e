from django.contrib.auth.management import create_permissions
from django.db import migrations

GROUPS = {
    "Moderators": ["moderate", "view_report", "view_action"]
    + ["view_suspectword", "add_suspectword", "change_suspectword", "delete_suspectword"],
}


def add_to_groups(apps, schema_editor):
    """Permissions are otherwise made only after all migrations."""
    config = apps.get_app_config("moderation")
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0)
    config.models_module = None
    Permission = apps.get_model("auth", "Permission")
    for name, codenames in GROUPS.items():
        group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=name)
        group.permissions.add(*Permission.objects.filter(content_type__app_label="moderation", codename__in=codenames))


class Migration(migrations.Migration):
    dependencies = [
        ("moderation", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(add_to_groups, migrations.RunPython.noop)]
