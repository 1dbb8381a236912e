from datetime import timedelta

from django.core.signing import BadSignature
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from inbox.mail import signer
from people.models import Person

LASTS = timedelta(days=60)  # a forwarded or archived mail shall not end somebody's mails for ever


@never_cache
@csrf_exempt  # a mail program posts without a token (RFC 8058); the signature in the address is the authority
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request, token):
    """End the mails to somebody: by one click in a mail program, or on a page with a button.

    Only a POST does: programs that look at the links in mails end nothing. A link that is too old or broken leads to
    the preferences.
    """
    try:
        person = Person.objects.filter(pk=signer.unsign(token, max_age=LASTS)).first()
    except BadSignature:
        person = None
    if not person:
        return render(request, "inbox/mail/unsubscribe.html", {"invalid": True}, status=404)
    if request.method == "POST":
        Person.objects.filter(pk=person.pk).update(mail=Person.Mail.OFF)
    translation.activate(person.language or translation.get_language())  # LocaleMiddleware says so in the answer
    return render(request, "inbox/mail/unsubscribe.html", {"done": request.method == "POST"})
