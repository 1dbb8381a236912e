from rooms.models.block import Block
from rooms.models.membership import Membership, MyRooms
from rooms.models.message import Message
from rooms.models.report import Report
from rooms.models.room import Room

__all__ = ["Block", "Membership", "Message", "MyRooms", "Report", "Room"]
