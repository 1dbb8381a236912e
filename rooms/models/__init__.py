from rooms.models.block import Block
from rooms.models.membership import Membership, MyRooms
from rooms.models.message import Message
from rooms.models.room import OPEN_ROOMS, OpenRooms, Room

__all__ = ["OPEN_ROOMS", "Block", "Membership", "Message", "MyRooms", "OpenRooms", "Room"]
