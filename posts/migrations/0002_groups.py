from django.contrib.auth.management import create_permissions
from django.db import migrations

GROUPS = {
    "Authors": ["add_post", "change_post", "view_post", "add_liveupdate", "change_liveupdate", "view_tag"],
    "Editors": [
        "add_post",
        "change_post",
        "view_post",
        "edit_any_post",
        "add_liveupdate",
        "change_liveupdate",
    ]
    + ["add_tag", "change_tag", "view_tag", "delete_tag", "view_comment"],
    "Moderators": ["view_comment", "view_post", "ban_person"],
}


def make_groups(apps, schema_editor):
    """Permissions are otherwise made only after all migrations."""
    for name in ("posts", "people"):
        config = apps.get_app_config(name)
        config.models_module = True
        create_permissions(config, apps=apps, verbosity=0)
        config.models_module = None
    Permission = apps.get_model("auth", "Permission")
    for name, codenames in GROUPS.items():
        group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=name)
        ours = Permission.objects.filter(content_type__app_label__in=("posts", "people"))
        allowed = ours.filter(codename__in=codenames)
        group.permissions.add(*allowed)


class Migration(migrations.Migration):
    dependencies = [
        ("posts", "0001_initial"),
        ("people", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
