"""What it takes to follow a page as its reader would: its blocks in order, and a place to run them.

Fences are `python` (run), `console` (run where a line begins with `$ `, and what follows compared),
`sh` (not run) or `text` (no code). Two comments prepare what a page takes for granted:
`<!-- given: digits.npz -->` puts the trained digits there, `<!-- serve: digits.npz -->` also serves
them on the port that the page calls 8000.
"""

import json
import math
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import NamedTuple

from tests.serving import DEADLINE, ROOT, environment

# Training rounds differently on other processors; what holds the digits is tested elsewhere.
RELATIVE, ABSOLUTE = 0.02, 0.002

_STEP = re.compile(
    r"^```(?P<language>\w*)\n(?P<text>.*?)^```$"
    r"|^<!-- (?P<directive>given|serve): (?P<argument>\S+) -->$",
    re.MULTILINE | re.DOTALL,
)
_TOKEN = re.compile(
    r"(?P<anything>\.\.\.)"
    r"|(?P<number>(?<![\w.])-?(?:\d+\.\d*(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+)(?!\.?\w))"
    r"|(?P<blank>\s+)"
)
_NUMBER = r"(-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)"
_SERVER = re.compile(r"(\w+=\S* )*softlens (serve|demo)\b(?!.*;)")

# Reads a block a line, answers each with its traceback or null; what a page prints is talk.
_SESSION = """
import json, os, sys, traceback
answers, sys.stdout = os.fdopen(os.dup(1), "w"), sys.stderr
names = {"__name__": "__main__"}
for line in sys.stdin:
    source, place = json.loads(line)
    try:
        exec(compile(source, place, "exec"), names)
        found = None
    except BaseException:
        found = traceback.format_exc()
    print(json.dumps(found), file=answers, flush=True)
"""


class Step(NamedTuple):
    """A fenced block, or a comment that prepares for one."""

    kind: str  # the language of the fence, or the word of the comment
    text: str
    line: int  # of its first line, from 1
    before: str  # the paragraph above it


class Command(NamedTuple):
    """A line to type, and what the page says it prints."""

    typed: str
    printed: str


def steps_of(page: str) -> list[Step]:
    """Everything on a page that is run, prepared or excused, in order."""
    steps = []
    for found in _STEP.finditer(page):
        above = " ".join(page[: found.start()].rstrip().rpartition("\n\n")[2].split())
        line = page.count("\n", 0, found.start()) + 1
        if found["directive"]:
            steps.append(Step(found["directive"], found["argument"], line, above))
        else:
            steps.append(Step(found["language"], found["text"], line + 1, above))
    return steps


def commands_of(console: str) -> list[Command]:
    """The commands of a `console` block; an open quote or a final backslash goes on."""
    parts = re.split(r"^\$ ", console, flags=re.MULTILINE)
    assert not parts[0].strip(), f"output before any command: {parts[0]}"
    commands = []
    for part in parts[1:]:
        lines = part.splitlines()
        typed = lines.pop(0)
        while lines and _goes_on(typed):
            typed += "\n" + lines.pop(0)
        commands.append(Command(typed, "\n".join(lines).strip()))
    return commands


def _goes_on(typed: str) -> bool:
    try:
        shlex.split(typed)
    except ValueError:
        return True
    return False


def agrees(printed: str, page: str) -> bool:
    """Whether output is what a page says, up to blanks, `...` and the last digits of numbers."""
    pattern, numbers, end = "", [], 0
    for token in _TOKEN.finditer(page.strip()):
        pattern += re.escape(page.strip()[end : token.start()])
        end = token.end()
        if token["number"]:
            numbers.append(float(token["number"]))
        pattern += _NUMBER if token["number"] else r"\s*" if token["blank"] else ".*?"
    pattern += re.escape(page.strip()[end:])

    found = re.fullmatch(pattern, printed.strip(), re.DOTALL)
    return found is not None and all(
        math.isclose(float(text), number, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
        for text, number in zip(found.groups(), numbers, strict=True)
    )


class Reader:
    """A person in a folder of their own, with a Python session, a shell and servers."""

    def __init__(self, folder: Path, digits: Path) -> None:
        """Work in `folder`, an empty one. `digits` is the model that some pages take for given."""
        self.folder = folder
        self.digits = digits
        self.ports: dict[str, str] = {}  # of the page: the one in use
        self.servers: list[subprocess.Popen[str]] = []
        self.environment = _environment(folder.parent)
        self.session = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", _SESSION],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd=folder, env=self.environment,
        )  # fmt: skip

    def close(self) -> None:
        """End whatever the page started."""
        for process in (*self.servers, self.session):
            process.kill()
            process.communicate(timeout=DEADLINE)

    def follow(self, step: Step, page: str) -> None:
        """Do what a step says and compare."""
        match step.kind:
            case "given" | "serve":
                if not (self.folder / step.text).exists():
                    shutil.copy(self.digits, self.folder / step.text)
                if step.kind == "serve":
                    self.start(Command(f"softlens serve {step.text}", ""))
            case "python":
                self.python(step, page)
            case "console":
                for command in commands_of(step.text):
                    self.type(command, f"{page}:{step.line}")

    def python(self, step: Step, page: str) -> None:
        """Run a block in the one session of the page."""
        assert self.session.stdin
        assert self.session.stdout
        source = "\n" * (step.line - 1) + step.text  # tracebacks then count the lines of the page
        for shown, used in self.ports.items():
            source = source.replace(f":{shown}", f":{used}")
        self.session.stdin.write(json.dumps([source, page]) + "\n")
        self.session.stdin.flush()

        failure = json.loads(self.session.stdout.readline() or '"the session ended"')

        assert failure is None, f"{page}:{step.line}: {failure}"

    def type(self, command: Command, place: str) -> None:
        """Run one line of a `console` block."""
        if command.typed.startswith("make "):
            check_targets(command.typed)
            return
        if _SERVER.match(command.typed):
            printed = self.start(command)
            expected = command.printed or "...http://..."
        else:
            printed, expected = self.shell(command.typed), command.printed
        message = f"{place}\n$ {command.typed}\nprinted:\n{printed}\nthe page says:\n{expected}"
        assert agrees(printed, expected), message

    def shell(self, typed: str) -> str:
        """What /bin/sh and the command print, both streams together as on a terminal."""
        for shown, used in self.ports.items():
            typed = typed.replace(f":{shown}", f":{used}")
        done = subprocess.run(
            ["/bin/sh", "-c", typed], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, cwd=self.folder, env=self.environment, timeout=DEADLINE, check=False,
        )  # fmt: skip
        for shown, used in self.ports.items():
            done.stdout = done.stdout.replace(f":{used}", f":{shown}")
        return done.stdout

    def start(self, command: Command) -> str:
        """Start a server on a free port and return what it prints until the page is satisfied."""
        port = re.search(r"--port ([1-9]\d{3,4})", command.typed)
        shown = port[1] if port else "8000"
        typed = re.sub(r"--port [1-9]\d{3,4}", "--port 0", command.typed)
        server = subprocess.Popen(
            ["/bin/sh", "-c", re.sub("softlens (serve|demo)", r"exec \g<0>", typed)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            cwd=self.folder, env=self.environment | {"SOFTLENS_PORT": "0"},
        )  # fmt: skip
        self.servers.append(server)
        assert server.stdout

        printed, watchdog = "", threading.Timer(DEADLINE, server.kill)
        watchdog.start()
        for line in server.stdout:
            found = re.search(r"http://[\w.]+:(\d+)", line)
            if found:
                self.ports[shown] = found[1]
            printed += line.replace(f":{self.ports.get(shown)}", f":{shown}")
            # `serve` prints its address last, `demo` goes on.
            if ("softlens serve" in typed and found) or agrees(
                printed, command.printed or "...http://..."
            ):
                break
        watchdog.cancel()
        return printed


def check_targets(typed: str) -> None:
    """Every target that a `make` line names is one of the Makefile."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = [word for word in shlex.split(typed, comments=True)[1:] if "=" not in word]
    assert targets
    for target in targets:
        assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE), target


def _environment(folder: Path) -> dict[str, str]:
    """A `softlens` on the path, and curl as on a terminal: without its meter."""
    programs = folder / "programs"
    programs.mkdir()
    shim = programs / "softlens"
    python = shlex.quote(sys.executable)
    shim.write_text(f'#!/bin/sh\nexec {python} -c "from app.cli import main; main()" "$@"\n')
    shim.chmod(0o755)
    (programs / ".curlrc").write_text('silent\nshow-error\nnoproxy = "*"\n')
    return environment() | {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "CURL_HOME": str(programs),
        "COLUMNS": "80",
        "TERM": "dumb",
    }
