"""Exceptions to one line and an exit code: for the terminal what app.errors is for HTTP."""

from app import exit_codes

_CODES = {  # by class name, because importing the classes would import NumPy
    "InvalidInputError": exit_codes.BAD_DATA,
    "DatasetError": exit_codes.BAD_DATA,
    "ArtifactError": exit_codes.BAD_DATA,
    "OutputError": exit_codes.CANNOT_CREATE,
    "LockedError": exit_codes.LOCKED,
    "FileNotFoundError": exit_codes.NO_INPUT,
    "IsADirectoryError": exit_codes.NO_INPUT,
    "PermissionError": exit_codes.NOT_PERMITTED,
    "OSError": exit_codes.IO_ERROR,
    "ModelError": exit_codes.UNEXPECTED,
}


class OutputError(Exception):
    """A file cannot be created where it was asked for."""


class LockedError(Exception):
    """Another process is writing the same file."""


def explain(error: Exception) -> tuple[str, int]:
    """The line to print and the code to exit with."""
    names = [kind.__name__ for kind in type(error).__mro__]
    code = next((_CODES[name] for name in names if name in _CODES), None)
    if code is None:
        return (
            f"unexpected {type(error).__name__}: {error}; run again with --debug to see where",
            exit_codes.UNEXPECTED,
        )
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}", code
    return str(error), code
