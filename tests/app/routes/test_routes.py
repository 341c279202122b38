"""Every route but its bodies, which tests/attacks holds."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import httpx
import pytest

PATHS = {
    "/predict": "POST", "/gradient": "POST", "/models": "GET", "/models/fixture": "GET",
    "/models/fixture/predict": "POST", "/models/fixture/versions/1/gradient": "POST",
    "/livez": "GET", "/readyz": "GET", "/healthz": "GET", "/": "GET", "/docs": "GET",
}  # fmt: skip
ROW = {"inputs": [[1.0, 2.0, 3.0, 4.0]]}


def test_models_tells_what_is_served(client: httpx.Client) -> None:
    (model,) = client.get("/models").json()["models"]

    assert model == client.get("/models/fixture").json()
    assert (model["name"], model["version"], model["versions"]) == ("fixture", "1", ["1"])
    assert model["default"] is True
    assert model["classes"] == [0, 1, 2, 3, 4]
    assert model["features"] == ["feature_0", "feature_1", "feature_2", "feature_3"]
    assert model["shapes"] == {"W1": [4, 7], "b1": [7], "W2": [7, 5], "b2": [5]}
    assert re.fullmatch(r"[0-9a-f]{64}", model["sha256"])


@pytest.mark.parametrize("path", ["/predict", "/gradient"])
def test_a_model_and_its_version_can_be_named(path: str, client: httpx.Client) -> None:
    default = client.post(path, json=ROW)

    assert default.status_code == 200
    assert default.json()["model"] == "fixture"
    assert default.json()["version"] == "1"
    assert client.post(f"/models/fixture{path}", json=ROW).content == default.content
    assert client.post(f"/models/fixture/versions/1{path}", json=ROW).content == default.content


@pytest.mark.parametrize(
    "path",
    [
        "/models/absent", "/models/absent/predict", "/models/fixture/versions/2/predict",
        "/models/fixture/versions/0/gradient", "/models/fixture/versions/1.0/predict",
        "/models/%2e%2e", "/models/%00", "/models/%ff", "/models/con", "/models/.hidden",
        "/models/a%5cb", "/models/FIXTURE",
    ],
)  # fmt: skip
def test_an_unknown_model_is_a_404(path: str, client: httpx.Client) -> None:
    method = "POST" if path.endswith(("predict", "gradient")) else "GET"

    answer = client.request(method, path, json=ROW if method == "POST" else None)

    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/unknown-model"


@pytest.mark.parametrize("path", ["/absent", "/predict/", "/models/", "//predict", "/models/a%2fb"])
def test_an_unknown_path_is_a_404_and_no_redirect(path: str, client: httpx.Client) -> None:
    answer = client.get(str(client.base_url).rstrip("/") + path)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 404


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"])
def test_another_method_is_a_405_that_names_the_right_one(
    method: str, client: httpx.Client
) -> None:
    answer = client.request(method, "/predict")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.content == b"") == (method == "HEAD")


@pytest.mark.parametrize(
    ("method", "path", "methods"),
    [
        ("POST", "/livez", "GET, HEAD"),
        ("PUT", "/models/fixture", "GET, HEAD"),
        ("GET", "/models/fixture/versions/1/predict", "POST"),
        ("DELETE", "/openapi.json", "GET, HEAD"),
    ],
)
def test_every_method_that_a_path_answers_is_allowed(
    method: str, path: str, methods: str, client: httpx.Client
) -> None:
    answer = client.request(method, path)

    assert answer.headers["allow"] == methods
    assert answer.json()["detail"] == f"{path} answers {methods}, not {method}"
    for allowed in methods.split(", "):
        assert client.request(allowed, path).status_code not in {404, 405}


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/predict/", "there is no path /predict/; did you mean /predict?"),
        ("/nowhere", "there is no path /nowhere; /docs lists those that there are"),
        ("/%1b%5b2J", r"there is no path /\x1b[2J; /docs"),
        ("/" + "q" * 8_000, "qqq...; /docs"),
    ],
)
def test_a_path_that_is_not_there_is_named_safely(
    path: str, words: str, client: httpx.Client
) -> None:
    answer = client.get(path)

    assert answer.status_code == 404
    assert words in answer.json()["detail"]
    assert len(answer.content) < 600


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"content-type": "text/plain"}, {"content-type": "multipart/form-data; boundary=x"},
        {"content-type": "application/x-www-form-urlencoded"}, {"content-type": ""},
        {"content-type": "application/jsonp"},
        {"content-type": "application/json", "content-encoding": "gzip"},
        {"content-type": "application/json", "content-encoding": "br"},
    ],
)  # fmt: skip
def test_another_media_type_is_a_415(headers: dict[str, str], client: httpx.Client) -> None:
    answer = client.post("/predict", content=b'{"inputs": [1, 2, 3, 4]}', headers=headers)

    assert answer.status_code == 415
    assert answer.json()["type"] == "/problems/unsupported-media-type"


@pytest.mark.parametrize(
    "extra", [("content-type", "text/plain"), ("content-encoding", "gzip"), ("content-type", "")]
)
def test_a_repeated_header_that_says_something_else_is_a_415(
    extra: tuple[str, str], client: httpx.Client
) -> None:
    headers = [("content-type", "application/json"), ("content-encoding", "identity"), extra]

    answer = client.post("/predict", content=b'{"inputs": [1, 2, 3, 4]}', headers=headers)

    assert answer.status_code == 415


def test_a_repeated_header_that_says_the_same_is_none(client: httpx.Client) -> None:
    headers = [("content-type", "application/json"), ("content-type", "application/json;q=1")]

    answer = client.post("/predict", content=b'{"inputs": [1, 2, 3, 4]}', headers=headers)

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "media_type", ["application/json; charset=utf-8", "Application/JSON", "application/json ;q=1"]
)
def test_json_may_be_spelt_as_http_allows(media_type: str, client: httpx.Client) -> None:
    headers = {"content-type": media_type}

    answer = client.post("/predict", content=b'{"inputs": [1, 2, 3, 4]}', headers=headers)

    assert answer.status_code == 200


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("extra", [0, 1])
def test_the_limit_of_bytes_is_exact(extra: int, chunked: bool, client: httpx.Client) -> None:
    body = b'{"inputs": [1, 2, 3, 4]}'.ljust(8 * 2**20 + extra)
    pieces = (body[i : i + 65536] for i in range(0, len(body), 65536))

    answer = client.post(
        "/predict", content=pieces if chunked else body,
        headers={"content-type": "application/json"},
    )  # fmt: skip

    assert answer.status_code == (413 if extra else 200)
    if extra:
        assert answer.json()["type"] == "/problems/body-too-large"
    assert client.get("/livez").status_code == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz"])
def test_health_is_answered_and_never_stored(path: str, client: httpx.Client) -> None:
    answer = client.get(path)

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "server" not in answer.headers
    assert client.head(path).status_code == 200


def test_every_example_of_the_reference_works(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    tried = 0

    for path in ("/predict", "/gradient", "/gradient/trace"):
        content = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        for example in content["examples"].values():
            answer = client.post(path, json=example["value"])
            assert answer.status_code == 200, answer.text
            tried += 1
    assert tried == 8


def test_the_reference_names_every_route(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    identifiers = [
        operation["operationId"]
        for item in document["paths"].values()
        for operation in item.values()
    ]

    assert document["openapi"].startswith("3.1")
    assert set(PATHS) - {"/", "/docs"} <= {
        path.replace("{name}", "fixture").replace("{version}", "1") for path in document["paths"]
    }
    assert len(set(identifiers)) == len(identifiers)


def test_the_reference_promises_no_other_kind_of_error(client: httpx.Client) -> None:
    document = client.get("/openapi.json")

    assert "ValidationError" not in document.text
    for item in document.json()["paths"].values():
        for operation in item.values():
            assert set(operation["responses"]) <= {"200", "4XX"}


def test_a_query_names_no_model(client: httpx.Client) -> None:
    answer = client.post("/predict?name=absent&version=9", json=ROW)

    assert answer.status_code == 200


class Links(HTMLParser):
    """Everything a page makes the browser ask for."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for key, value in attrs if key in {"src", "href"} and value]


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_a_page_asks_no_other_host_for_anything(path: str, client: httpx.Client) -> None:
    page = client.get(path)
    links = Links()
    links.feed(page.text)

    assert links.found
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for link in links.found:
        assert link.startswith("/")
        assert client.get(link).status_code == 200


@pytest.mark.parametrize("path", ["/", "/docs", "/docs/start.js", "/docs/swagger-ui.css"])
def test_a_page_is_held_to_its_own_files_and_in_no_frame(path: str, client: httpx.Client) -> None:
    headers = client.get(path).headers

    policy = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy.get("script-src", "'self'") == "'self'"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"


def test_the_style_of_the_index_is_the_one_its_policy_names(client: httpx.Client) -> None:
    page = client.get("/")

    (style,) = re.findall(r"<style>(.*?)</style>", page.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in page.headers["content-security-policy"]


@pytest.mark.parametrize("path", PATHS)
def test_no_answer_carries_a_warning_header_or_a_redirect(path: str, client: httpx.Client) -> None:
    answer = client.request(PATHS[path], path, json=ROW if PATHS[path] == "POST" else None)

    assert answer.status_code == 200
    assert answer.headers["x-content-type-options"] == "nosniff"
