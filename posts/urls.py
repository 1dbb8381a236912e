from django.urls import path

from posts import views
from posts.moderation import CommentModeration

urlpatterns = [
    path("", views.front, name="front"),
    path("posts/<str:slug>/", views.post, name="post"),
    path("posts/<str:slug>/unlock/", views.unlock, name="unlock"),
    path("posts/<str:slug>/mute/", views.mute, name="mute"),
    path("posts/<str:slug>/comments/", views.comments, name="comments"),
    path("tags/<str:slug>/", views.tag, name="tag"),
    path("people/<str:username>/", views.person, name="person"),
    path("comments/<int:pk>/", views.comment, name="comment"),
    path("comments/<int:pk>/reply/", views.reply, name="reply"),
    path("comments/<int:pk>/replies/", views.replies, name="replies"),
    path("comments/<int:pk>/edit/", views.edit_comment, name="edit-comment"),
    path("comments/<int:pk>/delete/", views.delete_comment, name="delete-comment"),
    *CommentModeration().urls,
]
