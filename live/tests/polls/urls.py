from django.urls import path

from live.tests.polls import views
from live.views import missed

urlpatterns = [path("polls/<int:pk>/", views.poll), path("options/<int:pk>/vote/", views.vote)]
urlpatterns += [path("live/", missed, name="live")]  # the project's
