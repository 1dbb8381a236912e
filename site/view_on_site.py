from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_safe


@require_safe
def view_on_site(request, content_type_id, object_id):
    """The admin's way from a row to its page, for those alone who see the row in the admin.

    Django's own asks nobody, and tells by where it leads how things are called that nobody else shall know.
    """
    try:
        model = get_object_or_404(ContentType, pk=content_type_id).model_class()
    except ValueError as error:
        raise Http404 from error
    model_admin = admin.site.is_registered(model) and admin.site.get_model_admin(model)
    row = model_admin and model_admin.get_object(request, object_id)
    if not row or not hasattr(row, "get_absolute_url") or not model_admin.has_view_or_change_permission(request, row):
        raise Http404
    return redirect(row)
