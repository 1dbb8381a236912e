"""What the type spam check, which reads the models, takes as the settings of a project."""

SECRET_KEY = "of no site"
INSTALLED_APPS = ["live", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
