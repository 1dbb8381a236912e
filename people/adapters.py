"""Where Parley differs from allauth's ways."""

import logging
from smtplib import SMTPException
from types import SimpleNamespace
from urllib.parse import urljoin, urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext_lazy as _

import live
from people.addresses import username_is_kept
from people.attempts import TOO_MANY, account_of, counted_for, remember
from people.endings import EndedSession
from people.rates import consume, refund

logger = logging.getLogger("people")


class AccountAdapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": _(
            "The email address and/or password you specified are not correct. "
            "An address signs in once it is confirmed; your username always does."
        )
    }

    def clean_username(self, username, shallow=False):
        """A name that somebody gave up is not another's yet: links, and mentions, would mean the wrong one."""
        username = super().clean_username(username, shallow)
        if not shallow and username_is_kept(username):
            raise ValidationError(_("A user with that username already exists."))
        return username

    def authenticate(self, request, password, username="", email="", **_):
        """The account (Person or None) whose ``password`` it is. Raises ``TooFast`` after too many wrong ones.

        Of what was typed at most one account is meant, so all attempts take as long: one hash. allauth would try each
        account that claims an e-mail address. They count before the password is looked at, and no more if it is right:
        so attempts made at once count, too.
        """
        if username == email:  # the form says both; an e-mail address is never a username
            username = ""
        account = account_of(username, email)
        counted = counted_for(request, account, username or email)
        with transaction.atomic():
            at = consume("sign-in", message=TOO_MANY, **counted)
        user = super().authenticate(request, username=account.username if account else "", password=password)
        if user:
            refund("sign-in", at, **counted)
        return user

    def pre_authenticate(self, request, **credentials):
        """Not counted by allauth, where five wrong attempts from anywhere lock out whoever is called so."""

    def post_login(self, request, user, **how):
        return remember(super().post_login(request, user, **how), request, user)

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
        sessions = list(sessions)
        with live.change(*{session.user for session in sessions}):
            EndedSession.note(EndedSession.Reason.LISTED, *(session.session_key for session in sessions))
            super().end_sessions(sessions)


def at_home(home, url):
    """The address ``url`` (str) at our own origin ``home`` (str)."""
    return urljoin(home, urlsplit(url)._replace(scheme="", netloc="").geturl())
