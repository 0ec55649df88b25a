"""LibreOffice without a window, for tests: it recalculates a copy and writes what it sees."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

_FRESH_PROFILE = 81
"""Exit code of a start that only created the profile."""


def available() -> bool:
    """True if there is a LibreOffice. In CI there must be one; elsewhere the test is skipped with the reason."""
    if shutil.which("soffice"):
        return True
    if os.environ.get("CI"):
        pytest.fail("LibreOffice is missing: in CI nothing is skipped")
    return False


def require() -> None:
    """Skip the test that has no LibreOffice to run on."""
    if not available():
        pytest.skip("no LibreOffice on this machine")


_ALWAYS_RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry"><item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item></oor:items>"""
"""Without it LibreOffice shows the values that stand in the file beside the formulas."""


def convert(path: Path, fmt: str, outdir: Path) -> Path:
    """`path` opened, recalculated and saved as `fmt` ("xlsx", "pdf", "csv", or with filter options) into `outdir`."""
    outdir.mkdir(parents=True, exist_ok=True)
    profile = outdir / ".profile"
    (profile / "user").mkdir(parents=True, exist_ok=True)
    (profile / "user" / "registrymodifications.xcu").write_text(_ALWAYS_RECALCULATE, "utf-8")
    command = ["soffice", f"-env:UserInstallation={profile.resolve().as_uri()}", "--headless", "--norestore"]
    command += ["--convert-to", fmt, "--outdir", str(outdir), str(path)]
    for _ in range(3):
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != _FRESH_PROFILE:
            break
    made = outdir / f"{path.stem}.{fmt.split(':')[0]}"
    assert made.exists(), f"LibreOffice made nothing of {path.name}: {done.returncode} {done.stdout} {done.stderr}"
    return made
