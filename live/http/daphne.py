"""daphne, fitted: ``python -m live.http.daphne``, with daphne's own options.

It counts what arrives before the application is asked, and lets the application wait for a page that does not read.
``uvicorn.py`` does the same for uvicorn. daphne's classes name each other, and offer no other way than to replace them.
"""

import asyncio
import socket
import time

from daphne import server as daphne  # the first import: it installs the reactor
from daphne.cli import CommandLineInterface
from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet import reactor
from twisted.web.http import HTTPChannel

from live import metrics
from live.http import limits
from live.http.bodies import announced

AT_ONCE = 16  # messages that may wait for the application before more are looked at
LOOK = 0.05  # seconds after which it is looked again whether it has taken them


class LiveProtocol(WebSocketProtocol):
    """daphne's own protocol, which counts frames, hears no more than the application takes, and notes who reads."""

    def __init__(self):
        super().__init__()
        self.count = limits.FrameCount()
        self.writable = asyncio.Event()
        self.writable.set()
        self.unread = self.look = self.end = None
        self.deaf = False

    def connectionMade(self):
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):  # or the kernel takes megabytes before anybody notices
            self.transport.getHandle().setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, limits.UNSENT)
        self.transport.unregisterProducer()  # that was the HTTP channel
        self.transport.registerProducer(self, True)
        super().connectionMade()

    def connectionLost(self, reason):
        self.writable.set()
        for timer in (self.unread, self.look, self.end):
            if timer and timer.active():
                timer.cancel()
        super().connectionLost(reason)

    # Downward

    def pauseProducing(self):
        self.writable.clear()
        self.unread = reactor.callLater(limits.still(), self.transport.abortConnection)

    def resumeProducing(self):
        self.writable.set()
        if self.unread and self.unread.active():
            self.unread.cancel()

    def stopProducing(self):
        pass

    def onPing(self, payload):
        """Answer, unless earlier answers are not read yet: only the last ping wants one (RFC 6455, 5.5.3)."""
        if self.writable.is_set():
            super().onPing(payload)

    # Upward

    def consumeData(self):
        """Look at what arrived, frame by frame, until the application has enough to do."""
        if self.state == self.STATE_CONNECTING:
            if not hasattr(self, "request"):
                super().consumeData()
            elif len(self.data) > limits.MESSAGE:  # before the handshake is answered
                self.cut(limits.TOO_BIG, "size")
            return
        while self.state in (self.STATE_OPEN, self.STATE_CLOSING):
            if self.deaf:
                self.data = b""
                return
            if self.application_queue.qsize() >= AT_ONCE and self.state == self.STATE_OPEN:
                self.transport.pauseProducing()
                if not (self.look and self.look.active()):
                    self.look = reactor.callLater(LOOK, self.continue_reading)
                return
            if not self.processData():
                return

    def continue_reading(self):
        self.transport.resumeProducing()
        self.consumeData()

    def onFrameBegin(self):
        frame = self.current_frame
        refused = self.count.take(frame.opcode, frame.fin, frame.length, is_read=self.state == self.STATE_OPEN)
        if not refused:
            super().onFrameBegin()
        elif self.state == self.STATE_OPEN:
            self.cut(*refused)
        else:  # closed already: the rest is dropped until autobahn has waited for an answer to that
            self.deaf = True

    def cut(self, code, why):
        """End the line: the code is said to whoever reads, and nothing is heard or waited for."""
        metrics.REFUSED.labels(why).inc()
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(code=code, reasonUtf8=why.encode())
        self.wasClean, self.wasNotCleanReason = False, why
        self.dropConnection()
        self.end = reactor.callLater(limits.linger(), self.transport.abortConnection)


class Request(WebRequest):
    """daphne's own request, whose body may be of limited size; too large a one is answered before it has arrived."""

    most = received = 0
    since = 0.0
    early = False

    def __init__(self, *arguments):
        super().__init__(*arguments, parsePOSTFormSubmission=False)  # Django does that

    def gotLength(self, length):
        """The head is complete; a body of ``length`` (int, None if it is not said) follows."""
        self.since = time.monotonic()
        headers = self.requestHeaders.getAllRawHeaders()
        self.most = announced([(name.lower(), value) for name, values in headers for value in values])[1]
        too_large = length is not None and length > self.most
        super().gotLength(0 if too_large else length)
        if too_large:
            self.answer_early()

    def handleContentChunk(self, data):
        if self.early:
            return
        self.received += len(data)
        super().handleContentChunk(data)
        if self.received > self.most:
            self.answer_early()

    def answer_early(self):
        """Ask the application now: ``Bodies`` in front of it says that it is too much."""
        self.early = True
        self.requestHeaders.removeHeader(b"expect")
        self.channel.answered_early(self)

    def patience(self):
        return limits.patience(self.since, self.received)


class Requests(HTTPChannel):
    """Twisted's own connection, which does not wait for ever: for a head, for a body, or for an answer to be read."""

    requestFactory = Request
    unread = None
    started = early = False
    dropped = 0

    @property
    def abortTimeout(self):
        return limits.linger()

    def resetTimeout(self):
        """Something arrived: it moves the end of a body's time, but not that of a head."""
        if self.timeOut is None:  # the application has its turn
            return
        if self.requests and self.requests[-1].since:
            self.setTimeout(max(0, self.requests[-1].patience()))
        elif not self.started:
            self.started = True
            self.setTimeout(limits.head())

    def allContentReceived(self):
        self.started = False
        super().allContentReceived()

    def answered_early(self, request):
        self.early, self.persistent = True, False
        self.setTimeout(None)
        request.responseHeaders.setRawHeaders(b"connection", [b"close"])
        request.requestReceived(self._command, self._path, self._version)

    def rawDataReceived(self, data):
        if not self.early:
            return super().rawDataReceived(data)
        self.dropped += len(data)
        if self.dropped > limits.LINGER_SIZE:
            self.forceAbortClient()

    def requestDone(self, request):
        """Answered. What of an early answer's request is still to come is dropped, so that the answer is read."""
        if not self.early:
            return super().requestDone(request)
        self.requests.remove(request)
        self.transport.loseWriteConnection()
        self._abortingCall = reactor.callLater(limits.linger(), self.forceAbortClient)

    def timeoutConnection(self):
        if self.requests:
            self.transport.write(limits.LATE)
        super().timeoutConnection()

    def pauseProducing(self):
        super().pauseProducing()
        self.unread = reactor.callLater(limits.unread(), self.transport.abortConnection)

    def resumeProducing(self):
        super().resumeProducing()
        self.be_read()

    def connectionLost(self, reason):
        self.be_read()
        super().connectionLost(reason)

    def be_read(self):
        if self.unread and self.unread.active():
            self.unread.cancel()


class RequestFactory(HTTPFactory):
    def __init__(self, server):
        super().__init__(server)
        self.timeOut = limits.head()

    def buildProtocol(self, addr):
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = Request
        return protocol

    protocol = Requests


class SocketFactory(WebSocketFactory):
    protocol = LiveProtocol


daphne.HTTPFactory, daphne.WebSocketFactory = RequestFactory, SocketFactory


class Server(daphne.Server):
    """daphne's own server, which lets the application wait while a page does not read."""

    async def handle_reply(self, protocol, message):
        if isinstance(protocol, LiveProtocol):
            await protocol.writable.wait()
        await super().handle_reply(protocol, message)

    def kill_all_applications(self):
        for protocol, details in list(self.connections.items()):
            if "application_instance" not in details:  # a request that has not arrived yet
                del self.connections[protocol]
        return super().kill_all_applications()


class CommandLine(CommandLineInterface):
    server_class = Server


if __name__ == "__main__":
    CommandLine.entrypoint()
