"""Exit codes of every command, after sysexits.h; docs/cli.md explains them."""

OK = 0
UNEXPECTED = 1
WRONG = 1  # softlens check: the gradient is wrong
USAGE = 2
UNDECIDABLE = 3  # softlens check
BAD_DATA = 65
NO_INPUT = 66
UNAVAILABLE = 69
CANNOT_CREATE = 73
IO_ERROR = 74
LOCKED = 75
CONFIGURATION = 78
INTERRUPTED = 130
