"""What docs/operating.md says of metrics and of the log is what the server gives, and no less."""

import json
import re
import time
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest
from prometheus_client import Metric

from tests.app.observability.scraping import families_of
from tests.repository.manifests import container_of, kubernetes_pod, load
from tests.serving import DEADLINE, ROOT, serving

GUIDE = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
BOARD = json.loads((ROOT / "docs/deploy/grafana/softlens.json").read_text(encoding="utf-8"))
Panel: TypeAlias = dict[str, Any]  # Any: what JSON holds

# What prometheus-client adds to the name of a family, and to the labels of a sample.
_PARTS = r"_(?:bucket|count|sum)\b"


def section(name: str) -> str:
    return GUIDE.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def documented() -> dict[str, tuple[str, set[str]]]:
    """Kind and labels of every metric in the table."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|([^|]*)\|", section("Metrics"), re.MULTILINE)
    return {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


@pytest.fixture
def families(client: httpx.Client) -> dict[str, Metric]:
    """What is scraped after a request that was answered."""
    client.post("/predict", json={"inputs": [1, 2, 3, 4]})
    found = families_of(client.get("/metrics").text)
    return {f"{f.name}_total" if f.type == "counter" else f.name: f for f in found}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc for some of them")
def test_every_metric_is_documented_and_every_documented_one_is_there(
    families: dict[str, Metric],
) -> None:
    found = {
        name: (
            family.type,
            {label for sample in family.samples for label in sample.labels} - {"le"},
        )
        for name, family in families.items()
    }

    assert found == documented()


def test_every_field_of_the_log_is_documented_and_every_documented_one_is_there(
    model_file: Path,
) -> None:
    program = (
        "from app.service import Service\n"
        "def broken(*_):\n    raise ZeroDivisionError\n"
        "Service.predict = broken\n"
        "import sys; from app.server.run import serve; sys.exit(serve({}))\n"
    )
    trace = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    settings = {"request_log": "sampled", "request_log_per_second": 1, "log_format": "json"}
    with serving(model_file, program, **settings) as server, server.client() as client:
        deadline = time.monotonic() + DEADLINE
        while "skipped" not in "".join(server.stderr):
            client.post("/predict", json={"inputs": [1, 2, 3, 4]}, headers=trace)
            assert time.monotonic() < deadline
    found = {field for line in server.stderr for field in json.loads(line)}

    fields = set(re.findall(r"^\| `(\w+)` \|", section("The log"), re.MULTILINE))
    assert found == fields


def panels() -> list[Panel]:
    return list(BOARD["panels"])


def expressions() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel["targets"]]


def test_the_dashboard_shows_only_what_there_is_and_all_of_ours() -> None:
    queries = [*expressions(), BOARD["templating"]["list"][1]["query"]]
    named = {
        re.sub(_PARTS, "", name)
        for query in queries
        for name in re.findall(r"\b(?:softlens|http_server|process)_\w+", query)
    }

    assert named <= documented().keys()
    assert {name for name in documented() if name.startswith("softlens")} <= named


def test_the_dashboard_asks_for_labels_that_there_are() -> None:
    own = {"job", "instance", "le"}  # Prometheus' own, and the bound of a bucket
    known = own.union(*(labels for _, labels in documented().values()))
    for expression in expressions():
        grouped = re.findall(r"by \(([\w, ]+)\)", expression)
        chosen = re.findall(r'(\w+)(?:=|!)[=~]?"', expression)
        assert {*chosen, *(name for group in grouped for name in group.split(", "))} <= known


def test_the_panels_of_the_dashboard_are_whole_and_apart() -> None:
    identifiers = [panel["id"] for panel in panels()]
    taken = [
        (x, y)
        for panel in panels()
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert len(identifiers) == len(set(identifiers))
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24  # columns of Grafana
    for panel in panels():
        assert panel["title"]
        assert panel["datasource"]["uid"] == "${source}"


@pytest.mark.parametrize("expression", expressions())
def test_the_brackets_of_a_query_are_closed(expression: str) -> None:
    text, before = re.sub(r'"[^"]*"', "", expression), None
    while text != before:
        before, text = text, re.sub(r"\(\)|\[\]|{}", "", re.sub(r"[^()\[\]{}]", "", text))

    assert text == ""


def test_prometheus_is_told_where_the_pods_are_scraped(client: httpx.Client) -> None:
    told = load("kubernetes/deployment.yaml")["spec"]["template"]["metadata"]["annotations"]
    (port,) = container_of(kubernetes_pod())["ports"]

    assert told["prometheus.io/scrape"] == "true"
    assert told["prometheus.io/port"] == str(port["containerPort"])
    assert client.get(told["prometheus.io/path"]).status_code == 200
