import json
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from app.observability.traces import given_trace_id
from tests.serving import DEADLINE, environment, serving

TRACE = "0af7651916cd43dd8448eb211c80319c"
GOOD = f"00-{TRACE}-b7ad6b7169203331-01"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

BAD = {
    "nothing": "",
    "words": "not-a-trace",
    "a trace of zeros": f"00-{'0' * 32}-b7ad6b7169203331-01",
    "a parent of zeros": f"00-{TRACE}-{'0' * 16}-01",
    "capitals": GOOD.upper(),
    "a later version": f"01-{GOOD[3:]}",
    "no version": f"ff-{GOOD[3:]}",
    "too long": f"{GOOD}-more",
    "too short": GOOD[:-1],
    "a line feed": f"{GOOD}\n",
    "no hexadecimal digits": GOOD.replace("a", "g"),
    "10 KB": GOOD * 200,
}


def test_a_trace_that_is_exactly_right_is_taken() -> None:
    assert given_trace_id([GOOD.encode()]) == TRACE


@pytest.mark.parametrize("name", BAD)
def test_a_trace_that_is_not_exactly_right_is_ignored(name: str) -> None:
    assert given_trace_id([BAD[name].encode()]) is None


@pytest.mark.parametrize("count", [0, 2, 10])
def test_a_trace_is_named_once_or_not_at_all(count: int) -> None:
    assert given_trace_id([GOOD.encode()] * count) is None


def test_the_trace_is_in_the_log_and_never_in_the_answer(model_file: Path) -> None:
    with serving(model_file, request_log="all", log_format="json") as server:
        with server.client() as client:
            answers = [
                client.get("/models", headers=headers)
                for headers in (
                    {"traceparent": GOOD},
                    {"traceparent": GOOD.upper()},
                    [("traceparent", GOOD)] * 10,
                    None,
                )
            ]
        server.stop()
        time.sleep(0.2)

    lines = [json.loads(line) for line in server.stderr if '"request"' in line]
    assert [line.get("trace_id") for line in lines] == [TRACE, None, None, None]
    for answer in answers:
        assert answer.status_code == 200
        assert TRACE not in str(answer.headers).lower()


@pytest.mark.parametrize("given", ["a", "a" * 128, "AZaz09._:/+=@-"])
def test_a_request_id_that_is_safe_is_repeated(given: str, client: httpx.Client) -> None:
    answer = client.get("/absent", headers={"x-request-id": given})

    assert answer.headers.get_list("x-request-id") == [given]
    assert answer.json()["instance"] == f"urn:uuid:{given}"


@pytest.mark.parametrize(
    "given", ["", "a" * 129, "a" * 10_000, "a b", "a;b", 'a"b', "<b>", "é", "a\tb"]
)
def test_a_request_id_that_is_not_safe_is_replaced(given: str, client: httpx.Client) -> None:
    answer = client.get("/livez", headers={b"x-request-id": given.encode()})

    (made,) = answer.headers.get_list("x-request-id")
    assert answer.status_code == 200
    assert UUID.fullmatch(made)


SPANS = """
import json, sys, threading, urllib.request
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

memory, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(memory))
trace.set_tracer_provider(provider)
reader = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider(metric_readers=[reader]))

from app.server.run import serve

def ask(url, path, body):
    request = urllib.request.Request(url + path, body, {"content-type": "application/json",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"})
    try:
        urllib.request.urlopen(request, timeout=30).read()
    except urllib.error.HTTPError:
        pass

def client(url):
    import os, signal
    ask(url, "/models/fixture/predict", b'{"inputs": [[1, 2, 3, 4]]}')
    ask(url, "/absent", None)
    os.kill(os.getpid(), signal.SIGTERM)

code = serve({}, lambda url: threading.Thread(target=client, args=(url,)).start())
print(reader.get_metrics_data().to_json(indent=None))
print(json.dumps([{"name": s.name, "attributes": dict(s.attributes), "start": s.start_time,
    "end": s.end_time, "id": s.context.span_id, "parent": s.parent and s.parent.span_id,
    "trace": format(s.context.trace_id, "032x")} for s in memory.get_finished_spans()]))
sys.exit(code)
"""


def test_spans_have_the_route_and_a_child_for_each_stage(model_file: Path) -> None:
    """With OpenTelemetry's own package, in a process of its own; also FastAPI's inside is held."""
    pytest.importorskip("opentelemetry.sdk")
    done = subprocess.run(
        [sys.executable, "-c", SPANS],
        env=environment(models=model_file, port=0, request_log="all", log_format="json"),
        capture_output=True, text=True, timeout=DEADLINE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    measured, finished = done.stdout.splitlines()
    spans = {span["name"]: span for span in json.loads(finished)}

    assert spans.keys() == {
        "POST /models/{name}/predict", "softlens.decode", "softlens.compute", "GET",
    }  # fmt: skip
    assert '"http.route": "/models/{name}/predict"' in measured
    served = spans["POST /models/{name}/predict"]
    assert served["trace"] == TRACE
    assert served["attributes"]["http.route"] == "/models/{name}/predict"
    assert served["attributes"]["http.response.status_code"] == 200
    assert spans["GET"]["attributes"]["http.response.status_code"] == 404
    stages = [spans["softlens.decode"], spans["softlens.compute"]]
    assert [stage["parent"] for stage in stages] == [served["id"]] * 2
    assert served["start"] <= stages[0]["start"] <= stages[0]["end"] == stages[1]["start"]
    assert stages[1]["end"] <= served["end"]
    logged = [json.loads(line) for line in done.stderr.splitlines() if '"request"' in line]
    assert [line["trace_id"] for line in logged] == [TRACE, TRACE]


def test_nothing_is_asked_of_opentelemetry_where_it_is_off(model_file: Path) -> None:
    program = (
        "import sys\nfrom opentelemetry import trace\nfrom app.server.run import serve\n"
        "def asked(): print('asked', file=sys.stderr, flush=True)\n"
        "def plant(url): trace.get_tracer_provider = asked; print('planted', file=sys.stderr)\n"
        "sys.exit(serve({}, plant))\n"
    )
    with serving(model_file, program) as server, server.client() as client:
        assert [client.get("/livez").status_code for _ in range(3)] == [200] * 3
        server.stop()
        time.sleep(0.2)

    assert server.stderr[2:] == ["planted\n"]
