"""Paths, names, methods, media types and encodings; the bodies are good."""

from tests.attacks.attack import JSON, Attack, Headers, as_json

GOOD = as_json({"inputs": [1, 2, 3, 4]})
DIFFERENTIATED = as_json({"logits": [2, 1]})


def typed(*types: str) -> Attack:
    headers: Headers = tuple(("content-type", value) for value in types)
    return Attack("/predict", GOOD, 415, "unsupported-media-type", headers=headers)


def coded(*codings: str) -> Attack:
    headers: Headers = (*JSON, *(("content-encoding", value) for value in codings))
    return Attack("/predict", GOOD, 415, "unsupported-media-type", headers=headers)


def named(name: str) -> Attack:
    return Attack(f"/models/{name}/predict", GOOD, 404, "unknown-model")


def version(text: str) -> Attack:
    return Attack(f"/models/fixture/versions/{text}/predict", GOOD, 404, "unknown-model")


def nowhere(path: str, status: int = 404, slug: str = "not-found") -> Attack:
    return Attack(path, GOOD, status, slug)


def by(method: str, path: str = "/predict") -> Attack:
    return Attack(path, b"", 405, "method-not-allowed", method=method, headers=())


REQUESTS = {
    "P1 no type": typed(),
    "P1 text": typed("text/plain"),
    "P1 a form": typed("application/x-www-form-urlencoded"),
    "P1 a form in parts": typed("multipart/form-data; boundary=x"),
    "P1 a type like it": typed("application/jsonp"),
    "P1 another JSON": typed("application/problem+json"),
    "P1 two types in one": typed("application/json, text/plain"),
    "P1 one type twice": Attack("/predict", GOOD, headers=(*JSON, *JSON)),
    "P1 two types": typed("application/json", "text/plain"),
    "P1 an empty type": typed(""),
    "P1 a type of 5,000 characters": typed("application/" + "x" * 5000),
    "P1 parameters are of no matter": Attack(
        "/predict", GOOD, headers=(("content-type", "APPLICATION/JSON;charset=x;"),)
    ),
    "P4 gzip": coded("gzip"),
    "P4 brotli": coded("br"),
    "P4 unknown": coded("x"),
    "P4 none, then gzip": coded("identity", "gzip"),
    "P4 an empty coding": coded(""),
    "P5 GET": by("GET"),
    "P5 HEAD": by("HEAD"),
    "P5 OPTIONS": by("OPTIONS"),
    "P5 TRACE": by("TRACE"),
    "P5 PROPFIND": by("PROPFIND"),
    "P5 DELETE a model": by("DELETE", "/models/fixture"),
    "P5 POST to health": by("POST", "/livez"),
    "P6 a slash at the end": nowhere("/predict/"),
    "P6 two slashes": nowhere("//predict"),
    "P6 a dot": nowhere("/./predict"),
    "P6 up and down again": nowhere("/models/../predict/../predict"),
    "P6 in capitals": nowhere("/PREDICT"),
    "P6 parameters of a path": nowhere("/predict;a=1"),
    "P6 NUL at the end": nowhere("/predict%00"),
    "P6 a line feed at the end": nowhere("/predict%0a"),
    "P6 what a terminal obeys": nowhere("/%1b%5b2J"),
    "P6 bytes that are no text": nowhere("/%ff%fe"),
    "P6 half an escape": nowhere("/%"),
    "P6 a header in a path": nowhere("/a%0d%0aX-Injected:%201"),
    "P6 markup": nowhere("/%3Cscript%3Ealert(1)%3C/script%3E"),
    "P6 an escaped slash": nowhere("/models%2ffixture%2fpredict%2f"),
    "P6 a version of a version": nowhere("/models/fixture/versions/1/versions/1/predict"),
    "P7 a folder above": named(".."),
    "P7 a folder above, escaped": named("%2e%2e"),
    "P7 NUL": named("fixture%00"),
    "P7 bytes that are no text": named("%ff"),
    "P7 a backslash": named("..%5c..%5cfixture"),
    "P7 a device": named("con"),
    "P7 what is hidden": named(".hidden"),
    "P7 the file": named("fixture.npz"),
    "P7 in capitals": named("FIXTURE"),
    "P7 with a blank": named("fixture%20"),
    "P7 a letter like another": named("fixtur%D0%B5"),
    "P7 what a terminal obeys": named("%1b%5b31m"),
    "P7 markup": named("%3Cimg%20src=x%20onerror=alert(1)%3E"),
    "P7 from right to left": named("%E2%80%AEerutxif"),
    "P7 5,000 characters": named("x" * 5000),
    "P7 a template": named("%7B%7B7*7%7D%7D"),
    "P7 version 0": version("0"),
    "P7 version -1": version("-1"),
    "P7 version 01": version("01"),
    "P7 version 1.0": version("1.0"),
    "P7 version +1": version("+1"),
    "P7 a version of 400 digits": version("9" * 400),
    "P7 a version of another script": version("%D9%A1"),
    "a query is of no matter": Attack("/predict?inputs=NaN&%00=%ff", GOOD),
    "a range of a probability": Attack("/predict", GOOD, headers=(*JSON, ("range", "bytes=0-1"))),
    "conditions that do not hold": Attack(
        "/predict", GOOD, headers=(*JSON, ("if-match", '"x"'), ("if-none-match", "*"))
    ),
    "a method told in a header": Attack(
        "/predict", GOOD, headers=(*JSON, ("x-http-method-override", "DELETE"))
    ),
    "a path told in a header": Attack(
        "/predict", GOOD,
        headers=(*JSON, ("x-original-url", "/models"), ("x-forwarded-prefix", "//evil.example")),
    ),
    "an origin that is not ours": Attack(
        "/predict", GOOD, headers=(*JSON, ("origin", "https://evil.example"))
    ),
    "a trace that is malformed": Attack(
        "/predict", GOOD, headers=(*JSON, ("traceparent", "00-" + "z" * 300))
    ),
    "a wish for nothing we have": Attack(
        "/predict", GOOD, headers=(*JSON, ("accept", "image/png;q=1e999"), ("te", "x"))
    ),
    "cookies": Attack("/predict", GOOD, headers=(*JSON, ("cookie", "a=b;" * 100))),
    "a weight of a coding that is no number": Attack(
        "/v2/models/fixture/infer", b"", 400, "empty-body",
        headers=(("accept-encoding", "gzip;q=nan, *;q=-1, ;;==,"),),
    ),
    "bare logits need no model's name": Attack("/gradient", DIFFERENTIATED),
    "bare logits at a model that is not there": Attack(
        "/models/absent/gradient", DIFFERENTIATED, 404, "unknown-model"
    ),
}  # fmt: skip
