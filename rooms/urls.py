from django.urls import path

from rooms import views
from rooms.moderation import MessageModeration

urlpatterns = [
    path("rooms/", views.rooms, name="rooms"),
    path("rooms/<str:slug>/", views.room, name="room"),
    path("rooms/<int:pk>/messages/", views.messages, name="messages"),
    path("rooms/<int:pk>/read/", views.read, name="read-room"),
    path("rooms/<int:pk>/involvement/", views.involvement, name="involvement"),
    path("rooms/messages/<int:pk>/", views.message, name="message"),
    path("rooms/messages/<int:pk>/edit/", views.edit_message, name="edit-message"),
    path("rooms/messages/<int:pk>/delete/", views.delete_message, name="delete-message"),
    *MessageModeration().urls,
    path("messages/", views.conversations, name="conversations"),
    path("messages/<str:names>/", views.conversation, name="conversation"),
    path("messages/<str:names>/leave/", views.leave, name="leave"),
    path("messages/<str:names>/block/", views.block, name="block"),
]
