"""Fuzz for a while: `python -m tests.fuzz loader 600`, for seconds; `make fuzz` runs all of them.

Inputs that reach new lines are kept in a folder of their own, those that fail in the current one.
"""

import sys
import tempfile

try:
    import atheris
except ImportError:
    sys.exit("needs atheris: pip install --editable '.[dev,fuzz]', see docs/robustness.md")

with atheris.instrument_imports(include=["app", "model"]):
    from tests.fuzz.targets import CORPUS, TARGETS


def main(name: str, seconds: str) -> None:
    """Fuzz one target."""
    found = tempfile.mkdtemp(prefix=f"softlens-fuzz-{name}-")
    options = [f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=2048", "-max_len=4096"]
    atheris.Setup([sys.argv[0], *options, found, str(CORPUS / name)], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
