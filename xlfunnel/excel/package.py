"""An Office file as the zip of parts it is. Parts nobody changed are written back as the very bytes they were."""

import posixpath
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from lxml import etree

from xlfunnel.errors import WorkbookError
from xlfunnel.excel.safe_write import replace_file
from xlfunnel.excel.xml_text import parse, serialise
from xlfunnel.excel.zip_writer import DEFLATED, STORED, Entry, ZipWriter, deflated

CONTENT_TYPES = "[Content_Types].xml"
MAX_PART = 1 << 30
MAX_PARTS = 20_000

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_CT = "{http://schemas.openxmlformats.org/package/2006/content-types}"
_PR = "{http://schemas.openxmlformats.org/package/2006/relationships}"
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Relationship:
    """A link from one part to another.

    kind    last word of its type: "worksheet", "table", "chart"
    target  name of the part, or the address if `external`
    """

    kind: str
    target: str
    external: bool


class Package:
    """The parts of one file. Reading is lazy; nothing reaches the disk before `write`.

    Raises WorkbookError (`workbook.missing_file`, `.empty_file`, `.encrypted`, `.old_format`, `.not_a_zip`,
    `.not_excel`, `.too_large`, `.damaged`, `.unreadable`) for a file that is no sound package.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._zip = _opened(path)
        self._state = _state(path)
        self._infos = {i.filename: i for i in self._zip.infolist()}
        self._changed: dict[str, tuple[Entry, bytes]] = {}
        self._removed: set[str] = set()
        try:
            self._check()
        except WorkbookError:
            self.close()
            raise
        self._by_lower = {name.lower(): name for name in self._infos}
        self._types: tuple[dict[str, str], dict[str, str]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._zip.close()

    @property
    def changed(self) -> bool:
        """True once a part was replaced or removed."""
        return bool(self._changed or self._removed)

    def names(self) -> list[str]:
        """The parts, in the order of the file."""
        return [n for n in self._infos if n not in self._removed]

    def has(self, part: str) -> bool:
        """True if there is a part of that name."""
        return self._name(part) is not None

    def size(self, part: str) -> int:
        """Bytes of a part when unpacked, as the directory says."""
        return self._infos[self._known(part)].file_size

    def read(self, part: str) -> bytes:
        """The bytes of a part. Raises WorkbookError `workbook.damaged` if it is missing or cannot be unpacked."""
        name = self._known(part)
        if name in self._changed:
            return zlib.decompress(self._changed[name][1], -zlib.MAX_WBITS)
        try:
            return self._zip.read(name)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as e:
            raise WorkbookError("workbook.damaged", part=name, reason=str(e)) from None

    def content_type(self, part: str) -> str:
        """The content type of a part; "" if none is declared."""
        overrides, defaults = self._content_types()
        return overrides.get(part.lower(), defaults.get(part.rsplit(".", 1)[-1].lower(), ""))

    def parts_of_type(self, content_type: str) -> list[str]:
        """All parts of a content type, in the order of the file."""
        return [n for n in self.names() if self.content_type(n) == content_type]

    def relationships(self, part: str) -> dict[str, Relationship]:
        """Links of a part by their id; of the package itself for ""."""
        rels = _rels_part(part)
        if not self.has(rels):
            return {}
        out = {}
        for element in parse(self.read(rels), rels).iter(f"{_PR}Relationship"):
            target, external = element.get("Target", ""), element.get("TargetMode") == "External"
            kind = element.get("Type", "").rsplit("/", 1)[-1]
            full = target if external else _absolute(part, target)
            out[element.get("Id", "")] = Relationship(kind, full if external else self._name(full) or full, external)
        return out

    def replace(self, part: str, data: bytes | Iterable[bytes]) -> None:
        """Give a part new bytes. Chunks are compressed as they come."""
        name = self._known(part)
        self._changed[name] = deflated(name, [data] if isinstance(data, bytes) else data)
        if name == CONTENT_TYPES:
            self._types = None

    def add(self, part: str, data: bytes) -> None:
        """Put a new part in, after all others. Its content type and the links to it are the caller's to declare."""
        if self.has(part):
            raise ValueError(f"{part} is there already")
        self._infos[part] = zipfile.ZipInfo(part)
        self._by_lower[part.lower()] = part
        self.replace(part, data)

    def remove(self, part: str) -> None:
        """Take a part out, with its content type and every link to it."""
        name = self._known(part)

        def declares(element: etree._Element) -> bool:
            return str(element.get("PartName", "")).lstrip("/").lower() == name.lower()

        self._drop(CONTENT_TYPES, f"{_CT}Override", declares)
        for rels in [n for n in self.names() if n.endswith(".rels")]:
            folder, file = posixpath.split(rels)
            owner = posixpath.join(posixpath.dirname(folder), file.removesuffix(".rels"))

            def links(element: etree._Element, owner: str = owner) -> bool:
                return _absolute(owner, element.get("Target", "")).lower() == name.lower()

            self._drop(rels, f"{_PR}Relationship", links)
        self._removed.add(name)
        self._changed.pop(name, None)

    def write(self, target: Path, *, backup: bool = False) -> bool:
        """Write the package in one step; False if `target` held the very same bytes already and was left alone.

        Raises WorkbookError `workbook.locked`, `.open`; `.changed_meanwhile` if the source is not what was read.
        """
        same = target.exists() and target.samefile(self.path)
        if same and not self.changed:
            return False

        def content(out: BinaryIO) -> None:
            self._write_to(out)
            self.close()  # Windows lets nobody replace an open file
            if _state(self.path) != self._state:
                raise WorkbookError("workbook.changed_meanwhile", path=self.path.name)

        return replace_file(target, content, backup=backup)

    def _write_to(self, out: BinaryIO) -> None:
        writer = ZipWriter(out)
        with self.path.open("rb") as raw:
            for name, info in self._infos.items():
                if name in self._changed:
                    entry, data = self._changed[name]
                    writer.add(entry, [data])
                elif name not in self._removed:
                    writer.add(_entry(info), _packed(raw, info))
        writer.finish()

    def _check(self) -> None:
        infos = self._zip.infolist()
        if len(infos) > MAX_PARTS or any(i.file_size > MAX_PART for i in infos):
            raise WorkbookError("workbook.too_large", path=self.path.name)
        if len({i.filename.lower() for i in infos}) != len(infos):
            raise WorkbookError("workbook.damaged", part=self.path.name, reason="duplicate names")
        if any(i.flag_bits & 1 for i in infos):
            raise WorkbookError("workbook.encrypted", path=self.path.name)
        if CONTENT_TYPES not in self._infos or any(i.compress_type not in (STORED, DEFLATED) for i in infos):
            raise WorkbookError("workbook.not_excel", path=self.path.name)

    def _name(self, part: str) -> str | None:
        """The stored name of a part; names are compared without case."""
        name = part if part in self._infos else self._by_lower.get(part.lower())
        return None if name in self._removed else name

    def _known(self, part: str) -> str:
        name = self._name(part)
        if name is None:
            raise WorkbookError("workbook.damaged", part=part, reason="missing")
        return name

    def _content_types(self) -> tuple[dict[str, str], dict[str, str]]:
        if self._types is None:
            root = parse(self.read(CONTENT_TYPES), CONTENT_TYPES)
            self._types = (
                {
                    e.get("PartName", "").lstrip("/").lower(): e.get("ContentType", "")
                    for e in root.iter(f"{_CT}Override")
                },
                {e.get("Extension", "").lower(): e.get("ContentType", "") for e in root.iter(f"{_CT}Default")},
            )
        return self._types

    def _drop(self, part: str, tag: str, doomed: Callable[[etree._Element], bool]) -> None:
        root = parse(self.read(part), part)
        elements = [e for e in root.iter(tag) if doomed(e)]
        for element in elements:
            root.remove(element)
        if elements:
            self.replace(part, serialise(root))


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        with path.open("rb") as file:
            head = file.read(8)
            if head == _OLE:
                file.seek(0)
                hidden = "EncryptedPackage".encode("utf-16-le") in file.read(64 * _BLOCK)
                raise WorkbookError("workbook.encrypted" if hidden else "workbook.old_format", path=path.name)
        if not head:
            raise WorkbookError("workbook.empty_file", path=path.name)
        return zipfile.ZipFile(path)
    except FileNotFoundError:
        raise WorkbookError("workbook.missing_file", path=path) from None
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, struct.error):
        raise WorkbookError("workbook.not_a_zip", path=path.name) from None
    except OSError as e:
        raise WorkbookError("workbook.unreadable", path=path.name, reason=e.strerror or str(e)) from None


def _state(path: Path) -> tuple[int, int, int]:
    state = path.stat()
    return state.st_ino, state.st_size, state.st_mtime_ns


def _rels_part(part: str) -> str:
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def _absolute(part: str, target: str) -> str:
    if target.startswith("/"):
        return target.lstrip("/")
    return posixpath.normpath(posixpath.join(posixpath.dirname(part), target))


def _entry(info: zipfile.ZipInfo) -> Entry:
    year, month, day, hour, minute, second = info.date_time
    stamp = (year - 1980) << 25 | month << 21 | day << 16 | hour << 11 | minute << 5 | second // 2
    return Entry(
        info.filename, info.compress_type, info.CRC, info.file_size, info.compress_size, stamp, info.external_attr
    )


def _packed(raw: BinaryIO, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The compressed bytes of an entry, after its local header: name and extra field may differ in length there."""
    raw.seek(info.header_offset)
    header = raw.read(30)
    if len(header) < 30 or header[:4] != b"PK\3\4":
        raise WorkbookError("workbook.damaged", part=info.filename, reason="local header")
    name, extra = struct.unpack("<HH", header[26:30])
    raw.seek(name + extra, 1)
    left = info.compress_size
    while left:
        block = raw.read(min(left, _BLOCK))
        if not block:
            raise WorkbookError("workbook.damaged", part=info.filename, reason="truncated")
        left -= len(block)
        yield block
