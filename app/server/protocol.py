"""uvicorn's protocol with what it lacks: limits before work, deadlines, and polite refusals."""

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from app.errors import OverloadedError, RequestError, describe
from app.server import heads
from app.server.connections import Connections
from app.server.deadlines import Stage, Watch, place_of
from app.server.limits import Limits
from app.server.recalling import Recalling
from app.server.refusing import Refused, last_answer, reason_of, too_slow
from app.server.writing import Flow, Gathered

# Bytes parsed at once: all requests in them are remembered before the first of them is answered.
_PIECE = 16_384


class Protocol(Recalling):
    """One connection.

    What arrives goes to the parser until a request has to wait for those before it; from there on
    it is set aside, and no more is read. After a refusal, which comes in its turn, the connection
    is closed: what is behind it need not begin where it seems to.
    """

    def __init__(self, shared: Connections, *rest: Any, **named: Any) -> None:  # Any: uvicorn's
        super().__init__(shared, *rest, **named)
        self._limits = shared.limits
        self._watch = Watch(shared.now())
        self._requests = 0  # whose heads are whole
        self._stays = False  # whether the client wants the connection to
        self._fresh = 0  # bytes since a head was whole or a body got on
        self._arrived = 0  # bytes since the connection was between two requests
        self._body_pieces = 0
        self._upgrading = False
        self._aside = b""  # arrived, and not parsed yet
        self._deaf = False  # nothing more is parsed
        self._thrown_away = 0  # bytes, since then
        self._parting: bytes | None = None  # the last answer, waiting for those before it

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin, if there is room for one more."""
        # Any: stands in for asyncio's.
        gathered: Any = Gathered(
            transport, self.loop, self._hang_up, self._shared.unsent, self._shared.departures
        )
        super().connection_made(gathered)
        self.flow = Flow(gathered, self._shared.unsent, self._go_on)
        self._shared.welcome(self)

    def data_received(self, data: bytes) -> None:
        """Recall it; or parse it, in pieces; or set it aside while requests wait for their turn."""
        between = self.is_between() and not (self._deaf or self._fresh)
        if between and self.recall(data):
            self._requests += 1
            self._stays = True
            self._begin_if_whole()
            return
        whole = data
        while data and not (self._deaf or self.pipeline):
            size = max(_PIECE, self._coming)  # no head begins within a body
            piece, data = data[:size], data[size:]
            self._parse(piece)
        if self._deaf:
            self._thrown_away += len(data)
            if self._thrown_away > self._limits.linger_bytes:
                self.transport.abort()
        elif data:
            self._aside += data
        elif between:
            self.remember(whole)

    def _parse(self, piece: bytes) -> None:
        read = len(piece)
        self._fresh += read
        cycle = self.cycle
        if cycle is not None and cycle.scope is self.scope and not cycle.more_body:
            self._arrived = 0
        self._arrived += read
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade as upgrade:
            read = upgrade.args[0]
        except httptools.HttpParserError as error:
            self._begin_if_whole()
            self._refuse(reason_of(error))
            return
        self._begin()
        if self._upgrading:
            self._parse_without_upgrade(piece[read:])
        elif self._fresh and self._fresh > self._limits.unfinished_bytes:
            self._refuse(heads.unfinished(self.url, self.headers, self._limits))

    def on_headers_complete(self) -> None:
        """Judge the head, and let the application begin."""
        parser = self.parser
        if parser.should_upgrade():
            if parser.get_method() == b"CONNECT":
                raise RequestError("not-implemented", "expected no CONNECT: this is no proxy")
            self._upgrading = True
            return
        head = heads.Head(self.url, self.headers, parser.get_http_version(), self._arrived)
        self._coming = heads.refuse_head(head, self._limits)
        try:
            super().on_headers_complete()
        except httptools.HttpParserInvalidURLError:
            raise heads.no_path() from None
        self._requests += 1
        self._fresh = 0
        self.headers = []  # for trailers, which the application does not see
        if self.pipeline:
            self.flow.block()
        # An answer that comes before the end of the body is the last: whether the body ever ends,
        # and the next request begins, is up to the client.
        self._stays = self.cycle.keep_alive
        self.cycle.keep_alive = False

    def _parse_without_upgrade(self, rest: bytes) -> None:
        """Begin the request anew as one of HTTP/1.1: the parser would pass over its body."""
        method, version = self.parser.get_method(), self.parser.get_http_version()
        head = heads.without_upgrade(method, self.url, version, self.headers)
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        self._upgrading = False
        self._fresh = 0
        self.data_received(head + rest)

    def on_body(self, body: bytes) -> None:
        """Note that it gets on."""
        self._fresh = 0
        self._body_pieces += 1
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Let the connection last beyond this request, if both sides want it to."""
        if self._upgrading:
            return
        cycle = self.cycle
        cycle.more_body = False
        cycle.message_event.set()
        if not cycle.response_started:
            cycle.keep_alive = self._stays and not self._shared.life.closing

    def on_response_complete(self) -> None:
        """Go on with what has arrived; when nothing does, the sweep closes the connection."""
        self.server_state.total_requests += 1
        if self.pipeline:
            self.transport.flush()  # to see whether it is taken, before another one is made
        if not self.flow.write_paused:
            self._go_on()

    def _go_on(self) -> None:
        if self.transport.is_closing():
            return
        if self.pipeline:
            self._begin_task(self.pipeline.pop()[0])
        elif self._parting:
            self._part(self._parting)
            return
        if self.flow.blocked and not self.pipeline and not self._deaf:
            self.flow.blocked = False
            aside, self._aside = self._aside, b""
            self.data_received(aside)
        self.flow.resume_reading()
        if self.flow.ended and not self.pipeline and self.cycle.response_complete:
            self.transport.close()

    def eof_received(self) -> bool:  # type: ignore[override]  # uvicorn never stays
        """Stay to answer what has arrived whole, though the client says no more."""
        self.transport.flush()  # before it is closed
        cycle = self.cycle
        at_work = cycle is not None and not (cycle.more_body or cycle.response_complete)
        self.flow.ended = at_work or bool(self.pipeline)
        return self.flow.ended

    def shutdown(self) -> None:
        """Close as soon as the requests that have arrived are answered."""
        self._stays = False
        super().shutdown()

    def look(self, now: float, limits: Limits) -> None:
        """End what has taken too long. `now` in seconds of a monotonic clock."""
        place = place_of(self, self._requests, self._body_pieces)
        late = self._watch.overdue(place, now, limits)
        if late is None:
            return
        match place.stage:
            case Stage.HEAD | Stage.BODY:
                self._refuse(too_slow(late, limits))
            case Stage.SILENT | Stage.IDLE:
                self.transport.close()
            case Stage.WRITING:
                self._shared.unsent.cut(self.transport, "slow")
            case _:
                self.transport.abort()

    def send_away(self, most: int) -> None:
        """Refuse the connection, because there are too many."""
        detail = f"expected at most {most} connections at a time (SOFTLENS_MAX_CONNECTIONS)"
        self._refuse(OverloadedError(detail))

    def _refuse(self, error: Exception) -> None:
        """Answer in place of the application, when the requests before are answered."""
        self._deaf = True
        self._shared.refused(describe(error).slug)
        method, scope = self.parser.get_method(), self.scope
        asked = Refused(self.url, method, list(scope["headers"])) if scope else Refused()
        answer = last_answer(error, asked, self.server_state.default_headers)
        cycle = self.cycle
        waits = cycle is not None and not cycle.response_complete
        if waits and cycle.more_body:  # it is the body of this one that is refused
            waits = self._withdraw(cycle)
        if waits:
            self._parting = answer
            self.flow.block()
        else:
            self._part(answer)

    def _withdraw(self, cycle: RequestResponseCycle) -> bool:
        """Take a request back from the application; whether others come before it."""
        self._unbegun = None
        if self.pipeline:
            self.pipeline.popleft()  # it came last
            return True
        cycle.disconnected = True
        cycle.message_event.set()
        if cycle.response_started:
            self.transport.abort()  # in the middle of its answer there is nothing to be said
        return False

    def _part(self, answer: bytes) -> None:
        self.transport.write(answer)
        self.transport.close()

    def _hang_up(self) -> bool:
        """Listen no more; whether the client may be in the middle of something."""
        cycle = self.cycle
        talking = self._deaf or self.pipeline or (cycle is not None and cycle.more_body)
        talking = talking and not self.flow.ended
        self._deaf = True
        if talking:
            self.flow.blocked = False
            self.flow.resume_reading()
        return bool(talking)
