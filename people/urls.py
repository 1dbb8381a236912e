from django.urls import path

from people import views

urlpatterns = [
    path("own/<int:pk>.css", views.own_css, name="own-css"),
    path("language/", views.language, name="set_language"),
    path("accounts/login/", views.SignIn.as_view(), name="account_login"),
    path("accounts/profile/", views.profile, name="profile"),
    path("accounts/preferences/", views.preferences, name="preferences"),
    path("accounts/sessions/<int:pk>/end/", views.end_session, name="end-session"),
    path("accounts/data/", views.data, name="data"),
    path("accounts/export/", views.download, name="export"),
    path("accounts/delete/", views.delete_account, name="delete-account"),
]
