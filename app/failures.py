"""Exceptions to one line and an exit code: for a process what app.errors is for HTTP."""

import errno

from app import exit_codes

_CODES = {  # by class name, because importing the classes would import NumPy
    "InvalidInputError": exit_codes.BAD_DATA,
    "DatasetError": exit_codes.BAD_DATA,
    "ArtifactError": exit_codes.BAD_DATA,
    "TooLargeError": exit_codes.USAGE,
    "ModelError": exit_codes.UNEXPECTED,
    "UnfitFileError": exit_codes.BAD_DATA,
    "OptionError": exit_codes.USAGE,
    "OutputError": exit_codes.CANNOT_CREATE,
    "LockedError": exit_codes.LOCKED,
    "UnreachableError": exit_codes.UNAVAILABLE,
    "FileNotFoundError": exit_codes.NO_INPUT,
    "IsADirectoryError": exit_codes.NO_INPUT,
    "PermissionError": exit_codes.NO_INPUT,  # outputs have an error of their own
    "OSError": exit_codes.IO_ERROR,
}


# What the system says of names and kinds of files without a class of its own.
_UNFIT = (errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.ENXIO)


class OptionError(Exception):
    """An option's value is of no use."""


class UnfitFileError(Exception):
    """A file holds something else than what a command reads."""


class OutputError(Exception):
    """A file cannot be created where it was asked for."""


class LockedError(Exception):
    """Another process is writing the same file."""


class UnreachableError(Exception):
    """A server does not answer, or not as a server of ours, or refuses."""


class StartError(Exception):
    """The server cannot start; carries its own exit code."""

    def __init__(self, detail: str, exit_code: int) -> None:
        super().__init__(detail)
        self.exit_code = exit_code


def explain(error: Exception) -> tuple[str, int]:
    """The line to print and the code to exit with."""
    if isinstance(error, StartError):
        return str(error), error.exit_code

    if isinstance(error, MemoryError):
        return "the data need more memory than there is", exit_codes.BAD_DATA

    names = [kind.__name__ for kind in type(error).__mro__]
    code = next((_CODES[name] for name in names if name in _CODES), None)
    if code is None:
        line = f"unexpected {type(error).__name__}: {error}; run again with --debug to see where"
        return line, exit_codes.UNEXPECTED
    if isinstance(error, OSError):
        code = exit_codes.NO_INPUT if error.errno in _UNFIT else code
        return f"{error.filename}: {error.strerror}" if error.filename else str(error), code
    return str(error), code
