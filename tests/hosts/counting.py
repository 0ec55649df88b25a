"""Counts what xlwings asks of the application: each call crosses a process border in Excel, at a millisecond or so."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import xlwings as xw

_OWN = ("hosts.lo_engine.book", "hosts.lo_engine.cells", "hosts.lo_engine.tables")


def counted(book: xw.Book, calls: Counter[str]) -> xw.Book:
    """The same workbook; every attribute read, set or called behind it adds one to `calls`."""
    return xw.Book(impl=_Proxy(book.impl, calls))


class _Proxy:
    def __init__(self, impl: Any, calls: Counter[str]) -> None:
        object.__setattr__(self, "_impl", impl)
        object.__setattr__(self, "_calls", calls)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._impl, name)
        if name == "app" or type(value).__module__ == "hosts.lo_engine.app":
            return value
        self._note(name)
        return self._wrapped(value)

    def __setattr__(self, name: str, value: Any) -> None:
        if name != "options":  # xlwings' own note on the range
            self._note(name)
        setattr(self._impl, name, value)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not callable(self._impl) or type(self._impl).__module__ in _OWN:
            self._note("()")
        plain = [a.__dict__["_impl"] if isinstance(a, _Proxy) else a for a in args]
        return self._wrapped(self._impl(*plain, **kwargs))

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        self._note("len")
        return len(self._impl)

    def __iter__(self) -> Iterator[Any]:
        for each in self._impl:
            self._note("next")
            yield self._wrapped(each)

    def _note(self, name: str) -> None:
        self._calls[f"{type(self._impl).__name__}.{name}"] += 1

    def _wrapped(self, value: Any) -> Any:
        own = type(value).__module__ in _OWN or (callable(value) and not isinstance(value, type))
        return _Proxy(value, self._calls) if own else value
