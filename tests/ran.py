"""What a command left behind."""

from typing import NamedTuple


class Run(NamedTuple):
    """Exit code, standard output and standard error."""

    code: int
    out: str
    err: str
