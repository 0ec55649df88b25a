"""The repository as a stranger finds it: no machine of ours in it, and what the README promises is there."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest

from xlfunnel import __version__, settings
from xlfunnel.arguments import COMMANDS, OPTIONS

ROOT = Path(__file__).resolve().parents[1]
DOCS = [p for p in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")) if ".venv" not in p.parts]
OF_A_MACHINE = re.compile(rb"(?<![\w./~$}-])/(?:work|farm|root|home|Users|tmp)/[A-Za-z]|[A-Z]:\\\\?Users\\")
IDS = [p.relative_to(ROOT).as_posix() for p in DOCS]


def tracked() -> Iterator[Path]:
    """Files under version control, or all that would be where there is no repository (an unpacked archive)."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    names = listed.stdout.decode().split("\0") if listed.returncode == 0 else []
    for name in filter(None, names):
        if (ROOT / name).is_file():
            yield ROOT / name


def test_no_path_of_one_machine_is_in_the_tree() -> None:
    found = [p.relative_to(ROOT).as_posix() for p in tracked() if OF_A_MACHINE.search(p.read_bytes())]
    assert found == []


def test_the_search_for_machine_paths_finds_them() -> None:
    for text in (b"open('/ro" + b"ot/x')", b"see /ho" + b"me/ann/file", b"C:\\Us" + b"ers\\ann"):
        assert OF_A_MACHINE.search(text)
    assert not OF_A_MACHINE.search(b"share/home/x and ../shared/work")


def test_licence_and_version_are_said_once() -> None:
    licence = (ROOT / "LICENSE").read_text("utf-8")
    assert licence.startswith("MIT License")
    assert "xlfunnel contributors" in licence
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", "utf-8")
    assert config["metadata"]["license"] == "MIT"
    assert f"## {__version__}\n" in (ROOT / "CHANGELOG.md").read_text("utf-8")


@pytest.mark.parametrize("doc", DOCS, ids=IDS)
def test_links_and_pictures_in_documents_lead_somewhere(doc: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", doc.read_text("utf-8"))
    assert [t for t in targets if "://" not in t and not (doc.parent / t).exists()] == []


@pytest.mark.parametrize("doc", DOCS, ids=IDS)
def test_commands_in_documents_exist(doc: Path) -> None:
    text = doc.read_text("utf-8")
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"(?:^|`)make ([a-z]+)", text, re.M):
        assert re.search(rf"^{target}:", makefile, re.M), f"make {target}"
    for line in re.findall(r"(?:^|`)xlfunnel ([a-z][^`\n#]*)", text, re.M):
        command, *rest = line.split()
        assert command in COMMANDS, line
        flags = {f for name in (*COMMANDS[command].options, "lang", "debug") for f in OPTIONS[name].flags}
        assert [w for w in rest if w.startswith("-") and w not in {*flags, "-", "--help"}] == [], line


def test_settings_files_in_the_tree_are_understood() -> None:
    files = [*(ROOT / "docs/examples").glob("*.toml"), *(ROOT / "workbook/sample").glob("*.toml")]
    assert len(files) >= 2
    for path in files:
        settings.load(path)


@pytest.mark.parametrize("doc", [d for d in DOCS if d.name.startswith("guide.")], ids=lambda d: d.name)
def test_settings_shown_in_the_guides_are_understood(doc: Path) -> None:
    shown = re.findall(r"```toml\n(.*?)```", doc.read_text("utf-8"), re.S)
    assert shown
    for text in shown:
        settings.from_table(tomllib.loads(text))


def test_scripts_can_be_run() -> None:
    for name in (".ci/run", "tools/prepare.sh"):
        assert (ROOT / name).stat().st_mode & 0o111, name
        subprocess.run(["bash", "-n", str(ROOT / name)], check=True)
