"""Which key opens which route. Every route that there is is asked without one."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.access import Access
from app.main import create_app
from app.operations import Route
from app.settings import Settings
from tests.app.open_inference.asking import INFER, in_json
from tests.app.security.keyed import KEYS, LINES, bearing, keyed, slug
from tests.serving import serving

ROW = {"inputs": [[1.0, 2.0, 3.0, 4.0]]}
# What anyone may ask. Whoever adds to it should add to the table in docs/security.md too.
OPEN = {
    "/", "/docs", "/docs/start.js", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css",
    "/openapi.json", "/livez", "/readyz", "/healthz", "/ping", "/v2/health/live",
    "/v2/health/ready",
}  # fmt: skip


@pytest.fixture(scope="module")
def routes(model_file: Path) -> list[Route]:
    app = create_app(Settings(models=model_file, model_control=True))
    return [route for route in app.router.routes if isinstance(route, Route)]


def open_to_anyone(client: httpx.Client, routes: list[Route], **headers: str) -> set[str]:
    """The paths that answer anything but 401 to one of their methods."""
    found = set()
    for route in routes:
        path = route.path.replace("{name}", "fixture").replace("{version}", "1")
        for method in route.methods or set():
            if client.request(method, path, headers=headers).status_code != 401:
                found.add(route.path)
    return found


def test_every_route_wants_a_key_but_those_that_are_open(
    asked: httpx.Client, routes: list[Route]
) -> None:
    assert len(routes) > 40

    assert open_to_anyone(asked, routes) == OPEN


def test_a_wrong_key_opens_no_more_than_none(asked: httpx.Client, routes: list[Route]) -> None:
    assert open_to_anyone(asked, routes, authorization="Bearer not-the-key-at-all") == OPEN


def test_a_route_that_was_left_open_would_be_noticed(
    model_file: Path, tmp_path: Path, routes: list[Route]
) -> None:
    """The control: a server whose /predict is open by mistake."""
    program = (
        "import app.routes.predict as p; from app.access import Access; "
        "p.PREDICT = p.PREDICT._replace(access=Access.OPEN); "
        "from app.server.run import serve; serve({})"
    )
    with (
        keyed(model_file, tmp_path, program, model_control="on") as server,
        server.client() as client,
    ):
        found = open_to_anyone(client, routes)

    assert {path for path in found - OPEN if path.endswith("/predict")} == found - OPEN != set()


def test_every_route_says_who_may_ask(routes: list[Route]) -> None:
    """A route that is made without a word is open: nobody may make one so."""
    free = {route.path for route in routes if route.access in {Access.OPEN, Access.HEALTH}}

    assert free == OPEN
    assert {route.access for route in routes} >= {Access.PREDICT, Access.DEBUG, Access.ADMIN}


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/predict", "predict"), ("POST", "/models/fixture/predict", "predict"),
        ("GET", "/models", "predict"), ("GET", "/v2", "predict"),
        ("GET", "/v2/models/fixture", "predict"), ("POST", "/invocations", "predict"),
        ("POST", "/gradient", "debug"), ("POST", "/gradient/check", "debug"),
        ("GET", "/gradient/probe?level=loss&seed=1", "debug"),
        ("POST", "/v1/models/fixture:explain", "debug"),
        ("GET", "/metrics", "metrics"),
        ("POST", "/v2/repository/models/absent/load", "admin"),
        ("POST", "/v2/repository/models/absent/unload", "admin"),
    ],
)  # fmt: skip
def test_a_key_opens_what_its_scopes_say_and_nothing_else(
    method: str, path: str, scope: str, key: str, asked: httpx.Client
) -> None:
    body = ROW if method == "POST" and "repository" not in path else None

    answer = asked.request(method, path, json=body, headers=bearing(key))

    if key in {scope, "all"} or (key == "both" and scope in {"predict", "debug"}):
        assert answer.status_code not in {401, 403}
    else:
        assert answer.status_code == 403
        assert slug(answer) == "scope-missing"
        assert f"the scope {scope}" in answer.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"authorization": f"Bearer {KEYS['predict']}"}, 200),
        ({"authorization": f"bearer {KEYS['predict']}"}, 200),
        ({"authorization": f"Bearer   {KEYS['predict']}"}, 200),
        ({"x-api-key": KEYS["predict"]}, 200),
        ({"x-api-key": KEYS["predict"], "authorization": "Basic dTpw"}, 200),
        ({"x-api-key": "wrong", "authorization": f"Bearer {KEYS['predict']}"}, 401),
        ({"authorization": KEYS["predict"]}, 401),
        ({"authorization": f"Basic {KEYS['predict']}"}, 401),
        ({"authorization": f"Bearer {KEYS['predict']}x"}, 401),
        ({"authorization": "Bearer"}, 401),
        ({"authorization": ""}, 401),
        ({"x-api-key": ""}, 401),
        ({"x-api-key": "\xff" * 1000}, 401),
        ({"cookie": f"key={KEYS['predict']}"}, 401),
    ],
)
def test_a_key_is_taken_from_two_headers(
    headers: dict[str, str], status: int, asked: httpx.Client
) -> None:
    sent = {name.encode(): value.encode("latin-1") for name, value in headers.items()}

    assert asked.post("/predict", json=ROW, headers=sent).status_code == status


def test_a_key_in_the_query_is_no_key(asked: httpx.Client) -> None:
    assert asked.get(f"/models?key={KEYS['all']}&api_key={KEYS['all']}").status_code == 401


@pytest.mark.parametrize("path", ["/models", "/v2", "/v1/models/fixture"])
@pytest.mark.parametrize(
    ("headers", "named"),
    [({}, "missing-key"), ({"x-api-key": "no-such-key-at-all"}, "unknown-key")],
)
def test_without_a_key_the_answer_says_how_to_send_one(
    headers: dict[str, str], named: str, path: str, asked: httpx.Client
) -> None:
    answer = asked.get(path, headers=headers)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert slug(answer) == named
    assert "no-such-key-at-all" not in answer.text
    assert ("error" in answer.json()) == (path != "/models")


def test_a_request_without_a_key_is_refused_before_its_body_is_read(asked: httpx.Client) -> None:
    """Otherwise strangers could make it parse 8 MiB."""
    answer = asked.post("/predict", content=b"{" * 9_000_000)

    assert answer.status_code == 401


def outputs(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [output["name"] for output in answer.json()["outputs"]]


@pytest.mark.parametrize("name", ["jacobian", "input_gradient"])
def test_derivatives_by_v2_need_the_scope_debug(name: str, asked: httpx.Client) -> None:
    body = in_json(outputs=[{"name": name}])

    with_debug = asked.post(INFER, json=body, headers=bearing("both"))
    without = asked.post(INFER, json=body, headers=bearing("predict"))

    assert outputs(with_debug) == [name]
    assert without.status_code == 400
    assert "expected one of probabilities, logits at" in without.json()["error"]


@pytest.mark.parametrize(
    ("key", "told"),
    [("predict", False), ("both", True)],
)
def test_derivatives_are_only_told_to_who_may_ask_for_them(
    key: str, told: bool, asked: httpx.Client
) -> None:
    model = asked.get("/v2/models/fixture", headers=bearing(key))
    configuration = asked.get("/v2/models/fixture/config", headers=bearing(key)).json()
    server = asked.get("/v2", headers=bearing(key)).json()

    assert ("jacobian" in outputs(model)) is told
    assert ("jacobian" in [output["name"] for output in configuration["output"]]) is told
    assert ("gradient" in server["extensions"]) is told
    assert "model_repository" not in server["extensions"]  # not with these keys


def test_model_control_is_told_to_who_may_ask_for_it(asked: httpx.Client) -> None:
    assert "model_repository" in asked.get("/v2", headers=bearing("all")).json()["extensions"]


@pytest.mark.parametrize(("key", "told"), [(None, False), ("debug", False), ("predict", True)])
def test_the_reference_has_a_row_of_the_model_only_for_who_may_predict(
    key: str | None, told: bool, asked: httpx.Client
) -> None:
    for _ in range(2):  # what one caller may see is not kept for the next
        document = asked.get("/openapi.json", headers=bearing(key) if key else {}).json()
        body = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
        assert ("examples" in body) is told
        assert asked.get("/openapi.json", headers=bearing("all")).json() != {}

    assert document["security"] == [{"key": []}]


def test_the_reference_of_an_open_server_asks_for_no_key(client: httpx.Client) -> None:
    assert "security" not in client.get("/openapi.json").json()


def test_switching_debug_off_closes_it_for_every_key(model_file: Path, tmp_path: Path) -> None:
    with keyed(model_file, tmp_path, debug="off") as server, server.client() as client:
        asked = client.post("/gradient", json=ROW, headers=bearing("all"))
        explained = client.post("/v1/models/fixture:explain", json=ROW, headers=bearing("all"))
        wanted = in_json(outputs=[{"name": "jacobian"}])
        inferred = client.post(INFER, json=wanted, headers=bearing("all"))
        told = client.get("/v2/models/fixture", headers=bearing("all"))

    assert asked.status_code == 404
    assert explained.status_code == 404
    assert inferred.status_code == 400
    assert outputs(told) == ["probabilities", "logits"]


def test_switched_off_model_control_stays_off_for_every_key(
    model_file: Path, tmp_path: Path
) -> None:
    with keyed(model_file, tmp_path) as server, server.client() as client:
        path = "/v2/repository/models/fixture/unload"
        found = [
            slug(client.post(path, headers=bearing(key) if key else {}))
            for key in ("all", "predict", None)
        ]

    assert found == ["model-control-off", "scope-missing", "missing-key"]


@pytest.fixture(scope="module")
def controlled(model_file: Path) -> Iterator[httpx.Client]:
    with serving(model_file, model_control="on") as server, server.client() as client:
        yield client


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_no_page_of_another_site_loads_and_unloads_models(
    site: str, controlled: httpx.Client
) -> None:
    """A form there can post to this machine, from the browser of whoever visits it."""
    path = "/v2/repository/models/fixture/unload"

    answer = controlled.post(path, headers={"sec-fetch-site": site})

    assert answer.status_code == 403
    assert slug(answer) == "cross-site"
    assert controlled.post("/predict", json=ROW).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"sec-fetch-site": "same-origin"}])
def test_programs_and_own_pages_do(headers: dict[str, str], controlled: httpx.Client) -> None:
    path = "/v2/repository/models/fixture/load"

    assert controlled.post(path, headers=headers).status_code == 200


def test_metrics_can_be_opened(model_file: Path, tmp_path: Path) -> None:
    with keyed(model_file, tmp_path, open_metrics="on") as server, server.client() as client:
        assert client.get("/metrics").status_code == 200
        assert client.get("/models").status_code == 401


def test_keys_of_the_environment_will_do(model_file: Path) -> None:
    with serving(model_file, keys=LINES.replace("\n", ",")) as server, server.client() as client:
        assert client.post("/predict", json=ROW).status_code == 401
        assert client.post("/predict", json=ROW, headers=bearing("predict")).status_code == 200


def test_a_key_that_is_taken_out_of_the_file_is_no_key_within_seconds(
    model_file: Path, tmp_path: Path
) -> None:
    with keyed(model_file, tmp_path) as server, server.client() as client:
        assert client.get("/models", headers=bearing("predict")).status_code == 200

        lines = [line for line in LINES.splitlines() if not line.startswith("predict:")]
        (tmp_path / "keys").write_text("\n".join(lines))

        while client.get("/models", headers=bearing("predict")).status_code != 401:
            pass  # as long as a test may take
        assert client.get("/models", headers=bearing("all")).status_code == 200
