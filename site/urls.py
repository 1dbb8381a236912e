from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib import admin
from django.http import Http404
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from django.views.static import serve
from parley.view_on_site import view_on_site

from parley import discuss  # noqa: F401  it adds to the admin

admin.site.login = secure_admin_login(admin.site.login)
admin.site.site_header = admin.site.site_title = "Parley"


def media(request, path):
    """What people uploaded. A name that no file can have is as missing as one that none has."""
    try:
        return serve(request, path, document_root=settings.MEDIA_ROOT)
    except (OSError, ValueError) as error:
        raise Http404 from error


handler400, handler403, handler404, handler500 = (
    f"people.errors.{name}" for name in ("malformed", "forbidden", "missing", "broken")
)
urlpatterns = [
    path("", include("posts.urls")),
    path("", include("inbox.urls")),
    path("", include("people.urls")),
    path("", include("rooms.urls")),
    path("live/", include("live.urls")),
    path("accounts/", include("allauth.urls")),
    # The admin's own way to a new password would not tell the person's other pages.
    path("admin/password_change/", RedirectView.as_view(pattern_name="account_change_password")),
    path("admin/r/<path:content_type_id>/<path:object_id>/", admin.site.admin_view(view_on_site)),  # before Django's
    path("admin/", admin.site.urls),
    # Browsers ask for it on pages that name no icon, the admin's among them.
    path("favicon.ico", lambda request: redirect(static("icon.svg"), permanent=False)),
    # Beyond one process the web server in front answers this itself.
    re_path(r"^media/(?P<path>.*)$", media),
]
