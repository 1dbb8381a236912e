"""Moderation of lines in rooms: where they are found, and what is answered."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string

from moderation.views import ModerationViews
from rooms.models import Message
from rooms.views import answer, readable_message


class MessageModeration(ModerationViews):
    name = "message"
    route = "rooms/messages/<int:pk>/"
    actions = ("remove", "restore", "keep", "ban")

    def find_readable(self, request, pk):
        return readable_message(request, pk)

    def find(self, request, pk):
        return get_object_or_404(Message.objects.with_related().select_related("room"), pk=pk)

    def answer(self, request, message, html):
        """Moderators see of a room that they may not read what was reported, and nothing else: they stay with that."""
        if message.room.readable_by(request.user):
            return answer(request, message, html)
        return HttpResponse(html) if request.htmx else redirect("message-menu", message.pk)

    def html(self, message):
        return render_to_string("partials/rooms/message_alone.html", {"message": message})

    def slot(self, message):
        return f"#message-{message.pk}-form"
