"""Where xlfunnel keeps what it remembers between clicks, and the log among it. UTF-8, rotating, never in the way."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path

LOGGER = logging.getLogger("xlfunnel")

_MAX_BYTES = 1 << 20
_KEPT = 3


def state_folder() -> Path:
    """The user's own folder for it: %LOCALAPPDATA%\\xlfunnel, ~/Library/Application Support/xlfunnel, XDG state."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return base / "xlfunnel"


def log_path() -> Path:
    """The log file; it need not exist yet."""
    return state_folder() / "log" / "xlfunnel.log"


class _Modest(RotatingFileHandler):
    """A full disk or a locked file must not stop a click."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Let it be."""


@contextmanager
def logged() -> Iterator[logging.Logger]:
    """The logger, writing into the log while the block runs. Where nothing can be written, it is silent.

    The file is closed afterwards: two processes may take turns in it, and Windows cannot rotate what is held open.
    """
    try:
        log_path().parent.mkdir(parents=True, exist_ok=True)
        handler: logging.Handler = _Modest(
            log_path(), maxBytes=_MAX_BYTES, backupCount=_KEPT, encoding="utf-8", delay=True, errors="backslashreplace"
        )
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s [%(process)d] %(message)s"))
    level = LOGGER.level
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    try:
        yield LOGGER
    finally:
        LOGGER.setLevel(level)
        LOGGER.removeHandler(handler)
        handler.close()
