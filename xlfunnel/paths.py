"""Where the files that come with xlfunnel are: the templates and the sample of `workbook/`."""

from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

_BESIDE = Path(__file__).resolve().parent.parent / "workbook"


def shipped(name: str) -> Path:
    """The path of a file of `workbook/` ("sample/lx_settings.toml"), in a checkout or in an installed package.

    Beside the package in a checkout; where pip put the data files of the wheel otherwise. The path need not exist.
    """
    beside = _BESIDE / name
    if beside.exists():
        return beside
    try:
        recorded = files("xlfunnel") or []
    except PackageNotFoundError:
        return beside
    found = [f for f in recorded if f.as_posix().endswith(f"share/xlfunnel/workbook/{name}")]
    return Path(str(found[0].locate())).resolve() if found else beside


def guide(language: str, installed: Path) -> Path:
    """The user guide: the page that was installed into the folder `installed`, or the text of a checkout."""
    page = installed / f"guide.{language}.html"
    return page if page.exists() else _BESIDE.parent / "docs" / f"guide.{language}.md"
