from django.http import HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe


@require_safe
@cache_control(public=True, max_age=31_536_000, immutable=True)
def own_css(request, pk):
    """The few style rules that make pages personal: they show ``pk`` (int) the controls of their own items.

    What others said they may report. Pages and fragments are the same for everybody; the server authorises what the
    controls ask for.
    """
    own = f".by-{pk} > article"
    rules = f"{own} .own {{ display: revert }}\n.report {{ display: revert }}\n{own} .report {{ display: none }}\n"
    return HttpResponse(rules, content_type="text/css")
