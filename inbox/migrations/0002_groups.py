from django.contrib.auth.management import create_permissions
from django.db import migrations


def let_editors_announce(apps, schema_editor):
    """Permissions are otherwise made only after all migrations."""
    for name in ("people", "inbox"):
        config = apps.get_app_config(name)
        config.models_module = True
        create_permissions(config, apps=apps, verbosity=0)
        config.models_module = None
    editors, _ = apps.get_model("auth", "Group").objects.get_or_create(name="Editors")
    announcing = {"content_type__app_label": "inbox", "content_type__model": "announcement"}
    allowed = apps.get_model("auth", "Permission").objects.filter(**announcing).exclude(codename__startswith="delete")
    editors.permissions.add(*allowed)


class Migration(migrations.Migration):
    dependencies = [
        ("inbox", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(let_editors_announce, migrations.RunPython.noop)]
