from django.urls import path

from inbox import views
from inbox.unsubscribing import unsubscribe

urlpatterns = [
    path("inbox/", views.inbox, name="inbox"),
    path("inbox/title/", views.title, name="title"),
    path("inbox/read/", views.read_everything, name="read-all"),
    path("inbox/<int:pk>/", views.notification, name="notification"),
    path("inbox/<int:pk>/read/", views.read_one, name="read"),
    path("inbox/<int:pk>/unread/", views.unread_one, name="unread"),
    path("people/<str:username>/follow/", views.follow, name="follow"),
    path("people/<str:username>/ignore/", views.ignore, name="ignore"),
    path("announcements/dismissed.css", views.dismissed_css, name="dismissed"),
    path("announcements/<int:pk>/dismiss/", views.dismiss, name="dismiss"),
    path("complete/", views.complete, name="complete"),
    path("unsubscribe/<str:token>/", unsubscribe, name="unsubscribe"),
]
