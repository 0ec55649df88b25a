"""What install.cmd has the new Python do: compile everything, clear the mark of a download, sign itself in, protect.

`python -m xlfunnel.installed FOLDER WORKBOOKS [FILE …]`. VBA starts Python with -B, so that bytecode is never written
later on; without it the first click takes three times as long.
"""

import compileall
import os
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from py_compile import PycInvalidationMode

_PAUSES = (0.1, 0.3, 1.0)
"""Seconds before each further try to protect a file."""

_LIBRARIES, _OURS = Path("python", "Lib", "site-packages"), Path("xlfunnel")


def mark_of(path: Path) -> str:
    """The stream of a file in which Windows notes that it came from the web; Office then blocks its macros."""
    return f"{path}:Zone.Identifier"


def marked(files: Iterable[Path]) -> Iterator[Path]:
    """Those of the files that bear the mark."""
    return (path for path in files if os.path.exists(mark_of(path)))


def clear_marks(files: Iterable[Path]) -> None:
    """Take the mark from files. One that cannot be changed is left as it is."""
    for path in files:
        with suppress(OSError):
            os.remove(mark_of(path))


def compile_all(folder: Path) -> bool:
    """Bytecode for all that is installed in `folder`, valid whatever the files' dates; False if ours has errors.

    A library may hold files for other versions of Python: what does not compile there is left as it is, in silence.
    """
    kind = PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(folder / _LIBRARIES, quiet=2, force=True, invalidation_mode=kind)
    return bool(compileall.compile_dir(folder / _OURS, quiet=1, force=True, invalidation_mode=kind))


def name_interpreter(conf: Path) -> None:
    """Write this Python into xlfunnel.conf, in the form of xlwings' settings files but always in UTF-8."""
    conf.write_text(f'"INTERPRETER_WIN","{sys.executable}"\n', "utf-8")


def unprotected(files: Iterable[Path]) -> list[Path]:
    """Write-protect files; those that can still be written.

    Excel then asks for another name before anybody's data land in a template, and uninstall.cmd knows ours by it. It is
    looked at and tried again, for a virus scanner may hold a new file. Marks go first: a protected file keeps its own.
    """
    left = list(files)
    for pause in (0, *_PAUSES):
        time.sleep(pause)
        for path in left:
            with suppress(OSError):
                path.chmod(stat.S_IREAD)
        left = [path for path in left if path.stat().st_mode & stat.S_IWRITE]
        if not left:
            break
    return left


def main(folder: str, workbooks: str, *files: str) -> int:
    """Do all of it; 1 if something of ours did not compile or cannot be protected, which is named.

    workbooks  the folder of the bundle from which FOLDER\\workbook was filled: what is in it is ours
    """
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a path may hold letters that the console's code page lacks
    clear_marks([p for p in Path(folder).rglob("*") if p.is_file()])
    clear_marks(Path(f) for f in files)
    compiled = compile_all(Path(folder))
    name_interpreter(Path(folder, "xlfunnel.conf"))
    ours = (p.relative_to(workbooks) for p in Path(workbooks).rglob("*") if p.is_file())
    left = unprotected(Path(folder, "workbook", name) for name in ours)
    for path in left:
        print(path)
    return 0 if compiled and not left else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
