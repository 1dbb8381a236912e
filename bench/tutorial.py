"""The way of Channels' tutorial: a consumer in a group, which renders the comment for its own socket.

A comment is published by an HTTP POST of JSON, ``{"html": …, "rest": …}``: no database has a part in it. What
is rendered is Parley's own partial; ``rest`` is what Parley sends besides, and is not rendered here. With
``{"text": …}`` nothing is rendered at all, and what Channels costs remains.
"""

import json

from channels.auth import AuthMiddlewareStack
from channels.generic.http import AsyncHttpConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application
from django.template.loader import render_to_string
from django.urls import path, re_path
from django.utils import timezone

get_asgi_application()

from live import fragments  # noqa: E402  Django must be set up first
from people.models import Person  # noqa: E402

AUTHOR = Person(pk=1, username="reader-0")


class Listener(AsyncWebsocketConsumer):
    async def connect(self):
        await self.channel_layer.group_add("post", self.channel_name)
        await self.accept()

    async def disconnect(self, code):
        await self.channel_layer.group_discard("post", self.channel_name)

    async def told(self, event):
        await self.send(text_data=event["text"])

    async def comment(self, event):
        comment = event["comment"] | {"author": AUTHOR}
        body = render_to_string("partials/posts/comment_body.html", {"comment": comment})
        comment = f'<li id="comment-{comment["pk"]}" data-key="{comment["pk"]}">{body}</li>'
        await self.send(text_data=fragments.upsert(comment, "#comments", newest_first=True) + event["rest"])


class Publish(AsyncHttpConsumer):
    number = 0

    async def handle(self, body):
        if body != b"-":  # with which the benchmark asks whether we are up
            await self.channel_layer.group_send("post", self.event(json.loads(body)))
        await self.send_response(200, b"")

    def event(self, said):
        if "text" in said:
            return {"type": "told", "text": said["text"]}
        Publish.number += 1
        comment = {
            "pk": self.number,
            "author_id": AUTHOR.pk,
            "get_absolute_url": f"/comments/{self.number}/",
            "created_at": timezone.now(),
            "is_shown": True,
            "html": said["html"],
        }
        return {"type": "comment", "comment": comment, "rest": said["rest"]}


sockets = URLRouter([path("ws/", Listener.as_asgi())])
application = ProtocolTypeRouter(
    {
        "http": URLRouter([re_path("", Publish.as_asgi())]),
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(sockets)),
    }
)
