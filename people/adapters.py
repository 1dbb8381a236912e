"""Where Parley differs from allauth's ways."""

import logging
from smtplib import SMTPException
from types import SimpleNamespace
from urllib.parse import urljoin, urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.shortcuts import render
from django.utils import translation

from live.ticks import tick

logger = logging.getLogger("people")


class AccountAdapter(DefaultAccountAdapter):
    def send_mail(self, template_prefix, email, context):
        """Mails lead to the configured host, whatever the request said, and are in the language of their receiver.

        A mail server that fails is not the person's fault, nor shall it tell whether there was anybody to write to.
        """
        home = settings.ORIGINS[0]
        context = {name: at_home(home, value) if name.endswith("_url") else value for name, value in context.items()}
        context["current_site"] = SimpleNamespace(name="Parley", domain=urlsplit(home).netloc)
        language = getattr(context.get("user"), "language", "") or translation.get_language()
        try:
            with translation.override(language):
                super().send_mail(template_prefix, email, context)
        except (OSError, SMTPException):
            logger.exception("%s could not be sent", template_prefix)

    def send_account_already_exists_mail(self, email):
        make_password("")  # takes as long as making the account would
        super().send_account_already_exists_mail(email)

    def respond_user_inactive(self, request, user):
        """Only after the right password: why one may not come in."""
        return render(request, "account/account_inactive.html", {"person": user}, status=403)


class UserSessionsAdapter(DefaultUserSessionsAdapter):
    def end_sessions(self, sessions):
        """The open pages of these sessions hear of it."""
        with transaction.atomic():
            super().end_sessions(sessions)
            tick(*{session.user for session in sessions})


def at_home(home, url):
    """The address ``url`` (str) at our own origin ``home`` (str)."""
    return urljoin(home, urlsplit(url)._replace(scheme="", netloc="").geturl())
