"""The `softlens` process, from its first moment to its exit code; app.command_line is its grammar.

Imports almost nothing at the top: a Ctrl-C during the imports would be a stack trace.
"""

import os
import sys
from io import StringIO
from typing import Any

from app import exit_codes
from app.failures import explain
from app.interrupts import leaving_at_once
from app.talk import say


def main() -> None:
    """Run the command that `sys.argv` names; never a stack trace, unless --debug asks for it."""
    _open_closed_streams()
    debug = "--debug" in sys.argv[1:]
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        with leaving_at_once():
            from app.command_line import assemble  # noqa: PLC0415  see above

            command = assemble(arguments)
        sys.exit(command(args=arguments, prog_name="softlens", standalone_mode=False))
    # Everything a command raises ends here, as one line and an exit code.
    except KeyboardInterrupt:
        sys.exit(exit_codes.INTERRUPTED)
    except Exception as error:
        if hasattr(error, "show"):  # Typer's own, about the command line itself
            sys.exit(_show_usage(error))
        line, code = explain(error)
        if debug:
            import traceback  # noqa: PLC0415  see above

            traceback.print_exc()
        say(f"softlens: {line}")
        sys.exit(code)


def _show_usage(error: Any) -> int:  # Any: a class that Typer does not export
    """Say what Typer says of a mistake in the command line, escaped; returns the exit code."""
    text = StringIO()
    error.show(text)
    for line in text.getvalue().splitlines():
        say(line.expandtabs(2))
    return error.exit_code


def _open_closed_streams() -> None:
    """Let nothing take the place of a stream the shell has closed, as `2>&-` does.

    The next file to be opened would get its number, and talk would be written into the file.
    """
    for name, mode in {"stdin": "r", "stdout": "w", "stderr": "w"}.items():
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115, PTH123  for good
