"""A split, and what came back of it."""

import shutil
from pathlib import Path

import pytest
from regional import ENGLISH, offices

from xlfunnel.crm import Intake
from xlfunnel.manifest import MANIFEST
from xlfunnel.split import split


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the split was made, once for all; it is left alone."""
    folder = tmp_path_factory.mktemp("split")
    split(offices(folder), ENGLISH, folder / "sent")
    return folder


@pytest.fixture
def intake(once: Path) -> Intake:
    return offices(once)


@pytest.fixture
def sent(once: Path, tmp_path: Path) -> Path:
    """The folder of a split: "No region", North and South, with the manifest."""
    return Path(shutil.copytree(once / "sent", tmp_path / "sent"))


@pytest.fixture
def loose(sent: Path) -> Path:
    """The same without the manifest."""
    (sent / MANIFEST).unlink()
    return sent
