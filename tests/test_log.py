"""The log: in the user's own folder, readable, never growing without end, never in the way."""

import logging
from pathlib import Path

import pytest

from xlfunnel import log


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")


def test_every_letter_is_kept_and_the_file_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log.LOGGER, "propagate", False)  # pytest's own capture stumbles over half a letter
    with log.logged() as logger:
        logger.info("大区 é 😀 \udc80")
    assert log.log_path() == tmp_path / "xlfunnel" / "log" / "xlfunnel.log"
    text = log.log_path().read_text("utf-8")
    assert "大区 é 😀 \\udc80" in text
    assert not [h for h in log.LOGGER.handlers if getattr(h, "baseFilename", "") == str(log.log_path())]


def test_old_files_are_dropped(tmp_path: Path) -> None:
    with log.logged() as logger:
        for _ in range(70):
            logger.info("x" * 100_000)
    files = sorted(log.log_path().parent.iterdir())
    assert [f.name for f in files] == ["xlfunnel.log", *(f"xlfunnel.log.{i}" for i in (1, 2, 3))]
    assert max(f.stat().st_size for f in files) <= 1 << 20


def test_where_nothing_can_be_written_the_work_goes_on(tmp_path: Path) -> None:
    (tmp_path / "xlfunnel").write_text("in the way")
    with log.logged() as logger:
        logger.info("nobody hears it")
    assert (tmp_path / "xlfunnel").read_text() == "in the way"


def test_the_level_is_given_back() -> None:
    before = log.LOGGER.level
    with log.logged():
        assert log.LOGGER.level == logging.INFO
    assert log.LOGGER.level == before


@pytest.mark.parametrize(
    ("platform", "variables", "tail"),
    [
        ("win32", {"LOCALAPPDATA": "C:/用户/李 雷/Local"}, "C:/用户/李 雷/Local/xlfunnel"),
        ("darwin", {"HOME": "/mac"}, "/mac/Library/Application Support/xlfunnel"),
        ("linux", {"XDG_STATE_HOME": "", "HOME": "/own"}, "/own/.local/state/xlfunnel"),
        ("linux", {"XDG_STATE_HOME": "/state"}, "/state/xlfunnel"),
    ],
)
def test_each_system_has_its_folder(
    monkeypatch: pytest.MonkeyPatch, platform: str, variables: dict[str, str], tail: str
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert log.state_folder().as_posix() == tail
