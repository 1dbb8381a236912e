"""Parley's pages as Django alone serves them: nothing of ``site/asgi.py`` stands in front."""

from django.core.asgi import get_asgi_application

application = get_asgi_application()
