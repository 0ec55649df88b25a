"""File names made of names from data: a truth table, and what must hold for any names."""

import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlfunnel.file_names import MOST_BYTES, file_names


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("华东", "华东.xlsx"),
        ("North West", "North West.xlsx"),
        ("CON", "_CON.xlsx"),
        ("lpt1", "_lpt1.xlsx"),
        ("com¹", "_com¹.xlsx"),
        ("aux.east", "_aux.east.xlsx"),
        ("CONSOLE", "CONSOLE.xlsx"),
        ("../../x", "_.._x.xlsx"),
        ("..", "none.xlsx"),
        ("", "none.xlsx"),
        ('a/b\\c:d*e?f"g<h>i|j', "a_b_c_d_e_f_g_h_i_j.xlsx"),
        ("[1]", "_1_.xlsx"),
        ("end. . ", "end.xlsx"),
        (".hidden", "hidden.xlsx"),
        ("~$lock", "_~$lock.xlsx"),
        ("a\x00b\nc", "a_b_c.xlsx"),
        ("evil\u202excod", "evil_xcod.xlsx"),
        ("e\u0301", "é.xlsx"),
        ("x" * 300, "x" * 145 + ".xlsx"),
        ("东" * 100, "东" * 48 + ".xlsx"),
    ],
)
def test_by_hand(name: str, file: str) -> None:
    assert file_names([name], ".xlsx", "none") == {name: file}


def test_collisions_get_a_number() -> None:
    made = file_names(["East", "EAST", "east ", "ＥＡＳＴ", "Straße", "STRASSE"], ".xlsx", "none")
    assert list(made.values()) == [
        "East.xlsx", "EAST (2).xlsx", "east (3).xlsx", "ＥＡＳＴ (4).xlsx", "Straße.xlsx", "STRASSE (2).xlsx",
    ]  # fmt: skip
    long = file_names(["y" * 200, "y" * 201], ".xlsx", "none")
    assert sorted(map(len, long.values())) == [150, 150]


@given(st.lists(st.text(max_size=300), unique=True, max_size=8))
def test_whatever_the_names(names: list[str]) -> None:
    made = file_names(names, ".xlsx", "none")
    assert list(made) == names
    assert len({unicodedata.normalize("NFC", f).casefold() for f in made.values()}) == len(names)
    for file in made.values():
        assert PurePosixPath(file).name == file
        assert PureWindowsPath(file).name == file
        assert not PureWindowsPath(file).is_reserved()
        assert len(file.encode()) <= MOST_BYTES
        assert file.endswith(".xlsx")
        assert file == file.strip()
        assert file[0] != "."
        assert not set(file) & set('<>:"/\\|?*[]')
