"""Traces: the id that a client gave, and spans where OpenTelemetry was set up.

FastAPI starts and ends the span of a request, and keeps what it knows of it under
`fastapi.telemetry` in the scope. What is known only here is added before it ends: the route, and
how long each stage took.
"""

import os
import re
import time

from opentelemetry import trace
from starlette.types import Receive, Send

from app.calls import Call

# W3C Trace Context, version 00: trace and parent, neither of them all zero, and flags.
_TRACEPARENT = re.compile(rb"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def are_wanted() -> bool:
    """Whether OpenTelemetry was set up, or is to be when the server starts.

    FastAPI would ask at each request, which takes as long as all that is counted here.
    """
    asked = os.environ.get("FASTAPI_OTEL_AUTO_CONFIGURE", "").lower() == "true"
    return asked or not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def trace_id_of(call: Call) -> str | None:
    """The trace that a request belongs to: that of its span, or the one that its client names."""
    telemetry = call.scope.get("fastapi.telemetry")
    if telemetry is not None and telemetry.span is not None:
        return f"{telemetry.span.get_span_context().trace_id:032x}"
    return given_trace_id(call.fields(b"traceparent"))


def given_trace_id(values: list[bytes]) -> str | None:
    """The trace in the values of `traceparent`: exactly one, and that exactly as it must be."""
    found = _TRACEPARENT.fullmatch(values[0]) if len(values) == 1 else None
    return found[1].decode() if found else None


def describe_span(call: Call) -> None:
    """Tell FastAPI's span its route, and give it a child for each stage of answering."""
    telemetry = call.scope["fastapi.telemetry"]
    if telemetry is None:
        return
    telemetry.route = call.route or None  # also for FastAPI's own metrics
    span = telemetry.span
    if span is None or not span.is_recording():
        return
    if call.route:
        span.set_attribute("http.route", call.route)
        span.update_name(f"{telemetry.span_method} {call.route}")
    if call.run is not None and call.run.rows:
        _add_stages(call, span)


def _add_stages(call: Call, span: trace.Span) -> None:
    """What is measured anyway as spans, one after the other: nothing is started on the way."""
    run = call.run
    tracer, within = trace.get_tracer("softlens"), trace.set_span_in_context(span)
    begin = time.time_ns() - (time.perf_counter_ns() - run.started)
    for stage, took in (("decode", run.decoding), ("compute", run.computing)):
        child = tracer.start_span(f"softlens.{stage}", context=within, start_time=begin)
        child.set_attribute("softlens.rows", run.rows)
        begin += took
        child.end(end_time=begin)


async def stay_alive(receive: Receive, send: Send) -> None:
    """Answer the server's questions about start and end (ASGI lifespan): nothing is left to do."""
    while (await receive())["type"] == "lifespan.startup":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})
