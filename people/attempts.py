"""Wrong passwords are counted: nobody guesses for long, and nobody is locked out by the guesses of others.

Counted is for each address; for each name at one address; and for each name at all the addresses together where nobody
signed in by it before. A browser in which somebody signed in remembers that in a cookie: it is counted by itself, so
a neighbour behind the same address locks nobody out either. Names are kept as digests, for people type passwords there.
"""

from allauth.account.models import EmailAddress
from django.contrib.auth import get_user_model
from django.core import signing
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from live.address import rate_key
from people.client_info import client_info
from people.rates import RateLimit

TOO_MANY = _("Too many wrong sign-ins. Try again in %(n)s s.")
COOKIE = "signed_in_before"
COOKIE_AGE = 365 * 24 * 3600
ACCOUNTS = 5  # that a browser remembers
SESSIONS = 50  # that are looked through for the address


def account_of(username="", email="", **_):
    """The account (Person or None) that signs in by ``username``, or else by ``email`` (str).

    An address is the account's that confirmed it, and nobody's before: it may stand in many. So an attempt is at most
    one account's, and costs one hash.
    """
    if username:
        return get_user_model().objects.filter(username=username.lower()).first()
    confirmed = EmailAddress.objects.filter(email=email.lower(), verified=True).select_related("user")
    return next((address.user for address in confirmed), None)


def counted_for(request, account, typed):
    """For what an attempt counts that means ``account`` (Person or None), as ``consume("sign-in", …)`` takes it (dict).

    ``typed`` (str) is the name or the e-mail address that was typed.
    """
    address = client_info(request).address
    if account and account.pk in accounts_of(request):
        return {"pair": digest(account, "browser")}
    counted = {"address": address, "pair": digest(account or typed, rate_key(address))}
    return counted if account and has_been_at(account, address) else counted | {"name": digest(account or typed)}


def has_been_at(account, address):
    """Whether one of the account's sessions began, or was last seen, at ``address`` (str)."""
    newest = account.usersession_set.order_by("-last_seen_at").values_list("ip", flat=True)[:SESSIONS]
    return rate_key(address) in map(rate_key, newest)


def accounts_of(request):
    """The ids (list of int) of the accounts that signed in by this browser, the newest last."""
    try:
        return signing.loads(request.COOKIES.get(COOKIE, ""), salt=COOKIE, max_age=COOKIE_AGE)
    except signing.BadSignature:
        return []


def remember(response, request, account):
    """Let the browser know that ``account`` (Person) signed in by it. → ``response``"""
    accounts = [*(pk for pk in accounts_of(request) if pk != account.pk), account.pk][-ACCOUNTS:]
    options = {"path": "/accounts/", "httponly": True, "samesite": "Lax", "secure": request.is_secure()}
    response.set_cookie(COOKIE, signing.dumps(accounts, salt=COOKIE), max_age=COOKIE_AGE, **options)
    return response


def forget(request, account):
    """Whoever reset the password of ``account`` (Person) by mail may sign in with the new one at once."""
    places = ["browser", rate_key(client_info(request).address)]
    key = [f"name {digest(account)}", *(f"pair {digest(account, place)}" for place in places)]
    RateLimit.objects.filter(action="sign-in", key__in=key).delete()


def digest(login, place=""):
    """What stands for an account (Person), or for what was typed as a name (str), perhaps at one ``place`` (str)."""
    name = f"typed {login.lower()}" if isinstance(login, str) else f"person {login.pk}"
    return salted_hmac("people.attempts", f"{place} {name}", algorithm="sha256").hexdigest()[:40]
