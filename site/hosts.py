"""Refuses requests for hosts that are not ours."""

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http.request import split_domain_port, validate_host


def forwarded_hosts(get_response):
    """Middleware: a wrong ``X-Forwarded-Host`` is answered with 400, as Django answers a wrong ``Host``.

    Nothing of ours reads the header; whoever sends a wrong one tries out whether something does.
    """

    def admit(request):
        host = request.headers.get("X-Forwarded-Host")
        if host and not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
            raise DisallowedHost(f"X-Forwarded-Host {host!r} is none of ALLOWED_HOSTS.")
        return get_response(request)

    return admit
