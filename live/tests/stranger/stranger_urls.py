from django.contrib.staticfiles.urls import staticfiles_urlpatterns
from django.urls import include, path
from notes import views

urlpatterns = [
    path("live/", include("live.urls")),
    path("notes/", views.notes),
    path("enter/<name>/", views.enter),
    path("enter/<name>/leave/", views.leave),
    *staticfiles_urlpatterns(),
]
