"""Requests made from our own OpenAPI document by others' ideas of what may go wrong."""

import re
import subprocess
import sys
from pathlib import Path

from tests.attacks.attack import as_json
from tests.long import LONG, times
from tests.serving import Server, serving

# Not among them: that whatever fits the document is accepted (it cannot say that rows are equally
# long), and that every refusal is documented (other people's protocols document theirs).
CHECKS = (
    "not_a_server_error,content_type_conformance,response_schema_conformance,"
    "response_headers_conformance,negative_data_rejection,unsupported_method"
)
PROGRAM = "from schemathesis.cli import schemathesis; schemathesis()"


def examined(
    server: Server, folder: Path, phases: str, *options: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable, "-c", PROGRAM, "run", f"{server.url}/openapi.json", "--checks", CHECKS,
            "--phases", phases, "--seed", "1", "--no-color",
            "--generation-database", "none", *options,
        ],
        cwd=folder, capture_output=True, text=True, check=False, timeout=times(170, 3600),
    )  # fmt: skip


def test_the_document_is_kept_whatever_is_asked(server: Server, tmp_path: Path) -> None:
    # Paths that name a model answer the same after the name.
    every = () if LONG else ("--exclude-path-regex", "{")

    most = str(times(10, 500))
    done = examined(server, tmp_path, "examples,coverage,fuzzing", "--max-examples", most, *every)

    assert done.returncode == 0, done.stdout[-5000:]
    tested = re.search(r"Tested: (\d+)", done.stdout)
    made = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert tested
    assert made
    assert int(tested[1]) >= 15
    assert int(made[1]) >= 500
    assert server.process.poll() is None


def test_an_answer_that_breaks_the_document_is_noticed(model_file: Path, tmp_path: Path) -> None:
    """The control: probabilities under another name."""
    program = (
        "from app.codecs import answers\n"
        "real = answers.prediction\n"
        "def other(*arguments):\n"
        "    answer = real(*arguments)\n"
        "    answer.body = answer.body.replace(b'probabilities', b'certainties__')\n"
        "    return answer\n"
        "answers.prediction = other\n"
        "from app.server.run import serve\n"
        "serve({})\n"
    )
    with serving(model_file, program=program) as server:
        with server.client() as client:
            asked = client.post(
                "/predict",
                content=as_json({"inputs": [1, 2, 3, 4]}),
                headers={"content-type": "application/json"},
            )
        done = examined(server, tmp_path, "examples", "--include-path", "/predict")

    assert "certainties__" in asked.text
    assert done.returncode == 1
    assert "violates schema" in done.stdout
