from django.core.signing import BadSignature
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from inbox.mail import signer
from people.models import Person


@never_cache
@csrf_exempt  # a mail program posts without a token (RFC 8058); the signature in the address is the authority
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request, token):
    """End the mails to somebody: by one click in a mail program, or on a page with a button.

    Only a POST does: programs that look at the links in mails end nothing.
    """
    try:
        person = get_object_or_404(Person, pk=signer.unsign(token))
    except BadSignature as error:
        raise Http404 from error
    if request.method == "POST":
        Person.objects.filter(pk=person.pk).update(mail=Person.Mail.OFF)
    translation.activate(person.language or translation.get_language())  # LocaleMiddleware says so in the answer
    return render(request, "inbox/mail/unsubscribe.html", {"done": request.method == "POST"})
