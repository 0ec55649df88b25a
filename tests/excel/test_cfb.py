"""The compound file, read by olefile, and its directory tree by hand."""

import io
import struct

import olefile
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlfunnel.excel.cfb import Tree, compound_file

NAMES = st.text(alphabet="abcdefgXYZ_0123456789 ", min_size=1, max_size=31)
SIZES = [0, 1, 63, 64, 65, 511, 512, 513, 4095, 4096, 4097, 8192, 70_000]


def opened(data: bytes) -> olefile.OleFileIO:
    """Any defect is an error; olefile itself collects those that it can read over."""
    file = olefile.OleFileIO(io.BytesIO(data), raise_defects=olefile.DEFECT_UNSURE)
    assert file.parsing_issues == []
    return file


def content(size: int) -> bytes:
    return (b"%08d" % size + bytes(range(256))) * (size // 264 + 1)


def streams(data: bytes) -> dict[str, bytes]:
    with opened(data) as file:
        return {"/".join(path): file.openstream(path).read() for path in file.listdir()}


@pytest.mark.parametrize("size", SIZES)
def test_a_stream_of_every_size_comes_back(size: int) -> None:
    wanted = content(size)[:size]
    assert streams(compound_file({"one": wanted})) == {"one": wanted}


def test_streams_on_both_sides_of_every_boundary_together() -> None:
    wanted = {f"s{size}": content(size)[:size] for size in SIZES}
    inner = {f"t{size}": content(size + 1)[:size] for size in SIZES}
    found = streams(compound_file({**wanted, "Folder": inner}))
    assert found == wanted | {f"Folder/{name}": data for name, data in inner.items()}


def test_more_than_the_header_can_list() -> None:
    """109 table sectors in the header chain 7 MB; beyond, a list of table sectors goes on elsewhere."""
    big = content(9_000_000)[:9_000_000]
    data = compound_file({"big": big, "small": b"x"})
    assert streams(data) == {"big": big, "small": b"x"}
    assert struct.unpack_from("<L", data, 72)[0] == 1  # number of DIFAT sectors


@pytest.mark.parametrize("sectors", [13_830, 13_842, 13_843, 13_844, 13_970, 13_971])
def test_around_the_last_table_sector_of_the_header(sectors: int) -> None:
    big = bytes(512 * sectors)
    assert streams(compound_file({"big": big})) == {"big": big}


@given(st.dictionaries(NAMES, st.integers(0, 5000), max_size=40))
def test_any_names_and_sizes_come_back(sizes: dict[str, int]) -> None:
    if len({n.upper() for n in sizes}) == len(sizes):
        wanted = {name: content(size)[:size] for name, size in sizes.items()}
        assert streams(compound_file(wanted)) == wanted


@given(st.integers(0, 70))
def test_the_directory_is_a_red_black_tree_in_order(count: int) -> None:
    """[MS-CFB] 2.6.4: sorted by length and then upper case, no red below red, as many black on every path."""
    tree: Tree = {f"{'n' * (i % 7)}{i}": b"" for i in range(count)}
    data = compound_file(tree)
    entries = directory(data)

    def walk(at: int, parent_red: bool) -> tuple[list[str], int]:
        if at == 0xFFFFFFFF:
            return [], 1
        name, red, left, right, _ = entries[at]
        assert not (red and parent_red)
        (before, black_left), (after, black_right) = walk(left, red), walk(right, red)
        assert black_left == black_right
        return [*before, name, *after], black_left + (not red)

    names, _ = walk(entries[0][4], False)
    assert names == sorted(tree, key=lambda n: (len(n), n.upper()))


def directory(data: bytes) -> list[tuple[str, bool, int, int, int]]:
    with opened(data) as file:
        raw = file.directory_fp.getvalue() if hasattr(file.directory_fp, "getvalue") else file.directory_fp.read()
    out = []
    for at in range(0, len(raw), 128):
        name, length, _, color, left, right, child = struct.unpack_from("<64sHBBLLL", raw, at)
        out.append((name[: max(0, length - 2)].decode("utf-16-le"), color == 0, left, right, child))
    return out


@pytest.mark.parametrize("name", ["", "a/b", "a\\b", "a:b", "a!b", "n" * 32])
def test_a_name_that_cannot_be_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        compound_file({name: b""})


def test_a_name_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="one name"):
        compound_file({"Dir": b"", "dir": b""})
