"""LibreOffice's errors as ordinary ones: its own cannot carry a traceback, and `contextlib` trips over them."""

import builtins
from functools import cache, wraps
from typing import Any, TypeVar

from hosts.uno_bridge import bridge

_Class = TypeVar("_Class", bound=type)


class OfficeError(Exception):
    """What LibreOffice refused to do."""


def translated(kind: _Class) -> _Class:
    """Make all methods and properties of a class raise OfficeError instead of LibreOffice's own errors."""
    for name, member in list(vars(kind).items()):
        if isinstance(member, builtins.property):
            parts = [_translated(f) if f else None for f in (member.fget, member.fset)]
            setattr(kind, name, builtins.property(*parts, doc=member.__doc__))
        elif callable(member) and not isinstance(member, (type, staticmethod)):
            setattr(kind, name, _translated(member))
    return kind


@cache
def _theirs() -> Any:
    """What all errors of LibreOffice are."""
    return bridge().getClass("com.sun.star.uno.Exception")


def _translated(work: Any) -> Any:
    @wraps(work)
    def safe(*args: Any, **kwargs: Any) -> Any:
        try:
            return work(*args, **kwargs)
        except _theirs() as e:
            said = f"{type(e).__name__.rpartition('.')[2]}: {e.Message}"
        raise OfficeError(said)

    return safe
