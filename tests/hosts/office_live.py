"""A LibreOffice of our own, started for the tests and ended with them: nobody else's documents are in it."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hosts.uno_bridge import bridge

_START_SECONDS = 90
_POLL_SECONDS = 0.1


@contextmanager
def office(folder: Path) -> Iterator[Any]:
    """The context of a fresh LibreOffice whose profile lies in `folder`. Skips where LibreOffice is not installed.

    With a fresh profile soffice sets itself up, ends once with code 81 and wants to be started again.
    """
    program = shutil.which("soffice") or pytest.skip("no LibreOffice on this machine")
    uno = bridge()
    pipe = f"xlfunnel{time.monotonic_ns()}"
    command = [
        program, "--headless", "--norestore", "--nologo", "--nodefault",
        f"-env:UserInstallation={(folder / 'profile').resolve().as_uri()}",
        f"--accept=pipe,name={pipe};urp;",
    ]  # fmt: skip
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
    not_yet = uno.getClass("com.sun.star.connection.NoConnectException")
    child = _started(command)
    deadline = time.monotonic() + _START_SECONDS
    try:
        while True:
            try:
                context = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
                break
            except not_yet:
                if time.monotonic() > deadline:
                    raise
                if child.poll() is not None:
                    child = _started(command)
                time.sleep(_POLL_SECONDS)
        yield context
        desktop_of(context).terminate()
        child.wait(timeout=30)
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def desktop_of(context: Any) -> Any:
    """What opens documents."""
    return context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)


def _started(command: list[str]) -> subprocess.Popen[bytes]:
    """In a group of its own: soffice is a script, and what it starts would outlive it."""
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
