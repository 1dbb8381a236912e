"""``path("live/", include("live.urls"))``: where pages ask that hear nothing over their socket."""

from django.urls import path

from live.views import missed

urlpatterns = [path("", missed, name="live")]
