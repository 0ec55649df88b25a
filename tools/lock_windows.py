#!/usr/bin/env python3
"""Writes windows/requirements.lock anew: what setup.cfg asks for, as wheels for Windows, each with version and hash.

Downloads with pip. Look at the difference before you commit it, and run the tests under Wine.
"""

import hashlib
import re
import subprocess
import sys
import tempfile
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "windows" / "requirements.lock"
HEAD = """\
# Wheels of the Windows bundle: CPython 3.13, 64 bit. Written by tools/lock_windows.py.
"""
ALSO = ["pywin32", "tzdata"]  # what the others ask for on Windows only, which pip does not see from elsewhere
NOT_NEEDED = {"pygments", "markdown-it-py", "mdurl"}  # rich uses them for code and Markdown only
TARGET = ("--platform", "win_amd64", "--python-version", "3.13", "--implementation", "cp", "--only-binary", ":all:")


def main() -> None:
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", "utf-8")
    wanted = [line.partition(";")[0].strip() for line in config["options"]["install_requires"].split("\n") if line]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "-q", "--dest", folder, *TARGET]
        subprocess.run([*command, *wanted, *ALSO], check=True)
        lines = [line for wheel in Path(folder).glob("*.whl") if (line := _line(wheel))]
    LOCK.write_text(HEAD + "".join(sorted(lines)), "utf-8")


def _line(wheel: Path) -> str:
    name, version = wheel.name.split("-")[:2]
    name = re.sub(r"[-_.]+", "-", name).lower()
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return "" if name in NOT_NEEDED else f"{name}=={version} --hash=sha256:{digest}\n"


if __name__ == "__main__":
    main()
