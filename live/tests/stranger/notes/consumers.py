from channels.generic.websocket import AsyncWebsocketConsumer


class Echo(AsyncWebsocketConsumer):
    async def receive(self, text_data):
        await self.send(f"{self.scope['user']} says {text_data}")
