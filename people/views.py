from django.http import HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe


@require_safe
@cache_control(public=True, max_age=31_536_000, immutable=True)
def own_css(request, pk):
    """The one style rule that makes pages personal: it shows ``pk`` (int) the controls of their own items.

    Pages and fragments are the same for everybody; the server authorises what the controls ask for.
    """
    return HttpResponse(f".by-{pk} > article .own {{ display: revert }}\n", content_type="text/css")
