from django.urls import path

from people import views

urlpatterns = [path("own/<int:pk>.css", views.own_css, name="own-css")]
