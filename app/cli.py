"""The `softlens` process, from its first moment to its exit code; app.command_line is its grammar.

Imports almost nothing at the top: a Ctrl-C during the imports would be a stack trace.
"""

import os
import sys

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
        command(args=arguments, prog_name="softlens")
    # Everything a command raises ends here, as one line and an exit code.
    except KeyboardInterrupt:
        sys.exit(exit_codes.INTERRUPTED)
    except Exception as error:
        line, code = explain(error)
        if debug:
            import traceback  # noqa: PLC0415  see above

            traceback.print_exc()
        say(f"softlens: {line}")
        sys.exit(code)


def _open_closed_streams() -> None:
    """Let nothing take the place of a stream the shell has closed, as `2>&-` does.

    The next file to be opened would get its number, and talk would be written into the file.
    """
    for name, mode in {"stdin": "r", "stdout": "w", "stderr": "w"}.items():
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115, PTH123  for good
