"""The zip of parts: what is refused, what is copied as it is, and how a file is replaced."""

import os
import stat
import struct
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from small_books import build, parts

from xlfunnel.errors import WorkbookError
from xlfunnel.excel.book import Book
from xlfunnel.excel.package import CONTENT_TYPES, Package
from xlfunnel.excel.safe_write import backup_path
from xlfunnel.excel.zip_writer import Entry, ZipWriter, deflated


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return build(tmp_path / "book.xlsx")


def _raw(path: Path) -> dict[str, tuple[int, int, bytes]]:
    """Checksum, date and compressed bytes of every entry."""
    out = {}
    data = path.read_bytes()
    with zipfile.ZipFile(path) as z:
        for i in z.infolist():
            name, extra = struct.unpack("<HH", data[i.header_offset + 26 : i.header_offset + 30])
            at = i.header_offset + 30 + name + extra
            out[i.filename] = (i.CRC, hash(i.date_time), data[at : at + i.compress_size])
    return out


def _code(path: Path) -> str:
    with pytest.raises(WorkbookError) as e, Package(path) as package:
        Book(package)
    return e.value.code


def _encrypted(path: Path) -> None:
    path.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(500) + "EncryptedPackage".encode("utf-16-le"))


def _zip(**files: bytes) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for name, data in files.items():
            z.writestr(name.replace("__", "/"), data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("code", "content"),
    [
        ("workbook.empty_file", b""),
        ("workbook.not_a_zip", b"id,stage\n1,T0\n"),
        ("workbook.not_a_zip", b"PK\x03\x04 cut off"),
        ("workbook.old_format", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)),
        ("workbook.not_excel", _zip(a=b"1")),
    ],
)
def test_files_that_are_no_workbook(tmp_path: Path, code: str, content: bytes) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes(content)
    assert _code(path) == code


def test_missing_file_and_folder(tmp_path: Path) -> None:
    assert _code(tmp_path / "none.xlsx") == "workbook.missing_file"
    assert _code(tmp_path) == "workbook.unreadable"


def test_encrypted_is_not_called_a_broken_zip(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    _encrypted(path)
    assert _code(path) == "workbook.encrypted"


def test_strict_binary_and_word_files_are_named(tmp_path: Path, book: Path) -> None:
    def changed(name: str, old: bytes, new: bytes) -> Path:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.xlsx"
        with zipfile.ZipFile(path, "w") as z:
            for part, data in parts(book).items():
                z.writestr(part, data.replace(old, new) if part == name else data)
        return path

    main = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    strict = changed("xl/workbook.xml", main, b"http://purl.oclc.org/ooxml/spreadsheetml/main")
    assert _code(strict) == "workbook.strict"
    assert _code(changed("_rels/.rels", b"xl/workbook.xml", b"xl/workbook.bin")) == "workbook.binary"
    assert _code(changed("xl/workbook.xml", b"workbook", b"document")) == "workbook.not_excel"
    assert _code(changed("xl/workbook.xml", b"<sheets>", b"<sheets")) == "workbook.damaged"


def test_names_that_differ_only_in_case_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes(_zip(**{"[Content_Types].xml": b"<a/>", "A.xml": b"", "a.xml": b""}))
    assert _code(path) == "workbook.damaged"


def test_a_bomb_is_refused_by_its_own_directory(tmp_path: Path, book: Path) -> None:
    data = bytearray(book.read_bytes())
    at = data.find(b"PK\1\2")
    data[at + 24 : at + 28] = struct.pack("<L", 3 << 30)
    path = tmp_path / "bomb.xlsx"
    path.write_bytes(data)
    assert _code(path) == "workbook.too_large"


def test_entities_are_not_expanded(tmp_path: Path, book: Path) -> None:
    path = tmp_path / "x.xlsx"
    doctype = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><workbook'
    with zipfile.ZipFile(path, "w") as z:
        for part, data in parts(book).items():
            z.writestr(part, data.replace(b"<workbook", doctype, 1) if part == "xl/workbook.xml" else data)
    assert _code(path) == "workbook.damaged"


def test_unchanged_parts_are_copied_raw_and_changed_ones_read_back(tmp_path: Path, book: Path) -> None:
    out = tmp_path / "out.xlsx"
    with Package(book) as package:
        package.replace("xl/styles.xml", [b"<a>", "长".encode() * 1000, b"</a>"])
        assert package.read("xl/styles.xml") == b"<a>" + "长".encode() * 1000 + b"</a>"
        assert package.write(out)
    before, after = _raw(book), _raw(out)
    assert list(before) == list(after)
    assert [n for n in before if before[n] != after[n]] == ["xl/styles.xml"]
    assert parts(out)["xl/styles.xml"].startswith("<a>长".encode())


def test_parts_stored_with_data_descriptors_or_uncompressed_survive(tmp_path: Path) -> None:
    class Stream(BytesIO):
        def seekable(self) -> bool:
            return False

    raw = Stream()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr(CONTENT_TYPES, "<Types/>")
        z.writestr(zipfile.ZipInfo("stored 长.bin"), b"\0" * 99)
    path, out = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
    path.write_bytes(raw.getvalue())
    with Package(path) as package:
        package.write(out)
    assert parts(out) == parts(path)
    with zipfile.ZipFile(out) as z:
        assert z.testzip() is None


def test_output_is_the_same_every_time(tmp_path: Path, book: Path) -> None:
    outs = [tmp_path / "1.xlsx", tmp_path / "2.xlsx"]
    for out in outs:
        with Package(book) as package:
            package.replace("xl/styles.xml", b"<a/>")
            package.write(out)
    assert outs[0].read_bytes() == outs[1].read_bytes()


def test_nothing_changed_in_place_touches_nothing(book: Path) -> None:
    before = (book.stat(), book.read_bytes())
    with Package(book) as package:
        assert not package.write(book, backup=True)
    assert (book.stat(), book.read_bytes()) == before
    assert not backup_path(book).exists()


def test_mode_is_kept_and_backup_holds_what_was_there(book: Path) -> None:
    book.chmod(0o640)
    before = book.read_bytes()
    with Package(book) as package:
        package.replace("xl/styles.xml", b"<a/>")
        assert package.write(book, backup=True)
    assert stat.S_IMODE(book.stat().st_mode) == 0o640
    assert backup_path(book).name == "book.xlsx.bak"
    assert backup_path(book).read_bytes() == before
    assert sorted(p.name for p in book.parent.iterdir()) == ["book.xlsx", "book.xlsx.bak"]


def test_a_new_file_has_the_mode_of_any_new_file(tmp_path: Path, book: Path) -> None:
    (tmp_path / "plain").touch()
    with Package(book) as package:
        package.write(tmp_path / "new.xlsx")
    assert (tmp_path / "new.xlsx").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_link_stays_a_link(tmp_path: Path, book: Path) -> None:
    link = tmp_path / "link.xlsx"
    link.symlink_to(book)
    with Package(link) as package:
        package.replace("xl/styles.xml", b"<a/>")
        package.write(link)
    assert link.is_symlink()
    assert parts(book)["xl/styles.xml"] == b"<a/>"


@pytest.mark.parametrize("owner", ["~$book.xlsx", ".~lock.book.xlsx#"])
def test_an_open_workbook_is_refused(book: Path, owner: str) -> None:
    (book.parent / owner).touch()
    before = book.read_bytes()
    with Package(book) as package:
        package.replace("xl/styles.xml", b"<a/>")
        with pytest.raises(WorkbookError, match=r"workbook\.open") as e:
            package.write(book)
    assert e.value.params == {"path": "book.xlsx", "owner": owner}
    assert book.read_bytes() == before


def test_a_write_protected_workbook_is_refused(book: Path) -> None:
    book.chmod(0o444)
    with Package(book) as package:
        package.replace("xl/styles.xml", b"<a/>")
        with pytest.raises(WorkbookError, match=r"workbook\.locked"):
            package.write(book)


def test_a_source_that_changed_in_the_meantime_is_not_overwritten(book: Path) -> None:
    with Package(book) as package:
        package.replace("xl/styles.xml", b"<a/>")
        os.utime(book, ns=(1, 1))
        before = book.read_bytes()
        with pytest.raises(WorkbookError, match=r"workbook\.changed_meanwhile"):
            package.write(book, backup=True)
    assert book.read_bytes() == before
    assert [p.name for p in book.parent.iterdir()] == ["book.xlsx"]


def test_a_failure_half_way_leaves_the_old_file_and_nothing_else(book: Path) -> None:
    data = bytearray(book.read_bytes())
    second = data.find(b"PK\3\4", 4)
    data[second : second + 4] = b"XXXX"
    book.write_bytes(data)
    with Package(book) as package:
        package.replace(CONTENT_TYPES, b"<Types/>")
        with pytest.raises(WorkbookError, match=r"workbook\.damaged"):
            package.write(book, backup=True)
    assert book.read_bytes() == bytes(data)
    assert [p.name for p in book.parent.iterdir()] == ["book.xlsx"]


def test_remove_takes_links_and_content_type_along(tmp_path: Path, book: Path) -> None:
    out = tmp_path / "out.xlsx"
    with Package(book) as package:
        package.remove("xl/sharedStrings.xml")
        assert not package.has("xl/sharedStrings.xml")
        package.write(out)
    left = parts(out)
    assert "xl/sharedStrings.xml" not in left
    assert not any(b"sharedStrings" in left[n] for n in (CONTENT_TYPES, "xl/_rels/workbook.xml.rels"))


def test_links_are_resolved_however_they_are_written(tmp_path: Path, book: Path) -> None:
    path = tmp_path / "x.xlsx"
    with zipfile.ZipFile(path, "w") as z:
        for part, data in parts(book).items():
            old, new = b'Target="worksheets/', b'Target="/XL/worksheets/'
            z.writestr(part, data.replace(old, new) if part.endswith("workbook.xml.rels") else data)
    with Package(path) as package:
        assert Book(package).sheets["Data"] == "xl/worksheets/sheet2.xml"


@pytest.mark.parametrize("limit", [0xFFFFFFFF, 200, 1])
def test_zip64_fields_where_numbers_grow_too_large(tmp_path: Path, limit: int) -> None:
    path = tmp_path / "x.zip"
    names = {f"part{i}.xml": os.urandom(150) * (i + 1) for i in range(5)}
    with path.open("wb") as file:
        writer = ZipWriter(file, limit)
        for name, data in names.items():
            entry, packed = deflated(name, [data[:70], data[70:]])
            writer.add(entry, [packed])
        writer.finish()
    assert parts(path) == names
    with zipfile.ZipFile(path) as z:
        assert z.testzip() is None
        assert [i.date_time for i in z.infolist()] == [(1980, 1, 1, 0, 0, 0)] * 5


def test_an_entry_knows_its_sizes() -> None:
    entry, packed = deflated("a", [b"x" * 1000])
    assert entry == Entry("a", 8, entry.crc, 1000, len(packed))
