"""Libraries of the extras: where one is not installed its tests are skipped, but never in CI."""

import os
from importlib import import_module
from typing import Any

import pytest


def needed(module: str) -> Any:
    """The module. Skips where it is missing; in CI the import fails."""
    if os.environ.get("CI"):
        return import_module(module)
    return pytest.importorskip(module, reason=f"{module} of the extra warehouse is not installed")
