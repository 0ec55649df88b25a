"""LibreOffice's Python bridge for the environment the tests run in, without making the rest of the system visible.

Debian's `uno` is built for the system's Python; it loads into ours if both are of the same minor version.
"""

import builtins
import os
import sys
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

_PLACES = (Path("/usr/lib/python3/dist-packages"), Path("/usr/lib/libreoffice/program"), Path("/usr/lib64/python3"))


@cache
def bridge() -> ModuleType:
    """The module `uno`. Skips the test where there is none; in CI a skip is a failure."""
    if "uno" in sys.modules:
        return sys.modules["uno"]
    found = next((p / "uno.py" for p in _PLACES if (p / "uno.py").exists()), None)
    spec = spec_from_file_location("uno", found) if found else None
    if spec is None or spec.loader is None:
        pytest.skip("no Python bridge of LibreOffice on this machine (Debian: python3-uno)")
    module = module_from_spec(spec)
    sys.modules["uno"] = module
    importer, path = builtins.__import__, list(sys.path)
    try:
        spec.loader.exec_module(module)
    except ImportError as e:
        del sys.modules["uno"]
        pytest.skip(f"LibreOffice's Python bridge does not load into Python {sys.version.split()[0]}: {e}")
    finally:
        builtins.__import__ = importer  # uno puts its own in its place
        sys.path[:] = path
    os.environ.setdefault("URE_BOOTSTRAP", "vnd.sun.star.pathname:/usr/lib/libreoffice/program/fundamentalrc")
    return module


def struct(name: str, **members: object) -> Any:
    """A UNO struct, such as `struct("beans.PropertyValue", Name=…, Value=…)`."""
    made = bridge().createUnoStruct(f"com.sun.star.{name}")
    for member, value in members.items():
        setattr(made, member, value)
    return made


def values(**pairs: object) -> tuple[Any, ...]:
    """Named arguments as UNO takes them."""
    return tuple(struct("beans.PropertyValue", Name=name, Value=value) for name, value in pairs.items())


def named(**pairs: object) -> Any:
    """The same as one value, to stand inside other named arguments."""
    return bridge().Any("[]com.sun.star.beans.PropertyValue", values(**pairs))


def enum(name: str, member: str) -> Any:
    """A member of a UNO enumeration: `enum("sheet.CellInsertMode", "DOWN")`."""
    return bridge().Enum(f"com.sun.star.{name}", member)


@cache
def constant(name: str) -> Any:
    """A UNO constant: `constant("sheet.CellFlags.VALUE")`."""
    return bridge().getConstantByName(f"com.sun.star.{name}")
