"""A compound file, version 3, as [MS-CFB] lays it down: sectors of 512 bytes, small streams together in one."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

Tree = Mapping[str, "bytes | Tree"]
"""A storage: names to streams (bytes) and further storages."""

_SECTOR, _MINI = 512, 64
_SMALL = 4096
"""Streams shorter than this lie in the mini stream."""

_DIFAT, _FAT, _END, _FREE = 0xFFFFFFFC, 0xFFFFFFFD, 0xFFFFFFFE, 0xFFFFFFFF
_IN_HEADER = 109
_STORAGE, _STREAM, _ROOT = 1, 2, 5
_RED, _BLACK = 0, 1
_MAX_NAME = 31


def compound_file(tree: Tree) -> bytes:
    """The bytes of a compound file that holds `tree`; the same tree gives the same bytes.

    Raises ValueError for a name that is empty, too long, holds one of / \\ : ! or stands twice in a storage.
    """
    nodes = _flat(tree)
    mini, body = bytearray(), bytearray()
    mini_fat: list[int] = []
    fat: list[int] = []
    for node in nodes:
        if node.kind == _STREAM:
            small = len(node.data) < _SMALL
            node.size = len(node.data)
            node.start = _append(node.data, *((mini, mini_fat, _MINI) if small else (body, fat, _SECTOR)))
    nodes[0].size, nodes[0].start = len(mini), _append(bytes(mini), body, fat, _SECTOR)
    mini_fat_start = _append(_table(mini_fat), body, fat, _SECTOR)
    directory = b"".join(_entry(n) for n in nodes)
    directory += _entry(_Node("", 0)) * (-len(nodes) % (_SECTOR // 128))
    directory_start = _append(directory, body, fat, _SECTOR)
    fat_sectors, difat_sectors = _table_sizes(len(fat))
    fat_start = len(fat)
    difat_start = fat_start + fat_sectors
    fat += [_FAT] * fat_sectors + [_DIFAT] * difat_sectors
    places = [*range(fat_start, difat_start)]
    header = struct.pack(
        "<8s16x5H6x9L", bytes.fromhex("d0cf11e0a1b11ae1"), 0x3E, 3, 0xFFFE, 9, 6,
        0, fat_sectors, directory_start, 0, _SMALL,
        mini_fat_start, len(_table(mini_fat)) // _SECTOR,
        difat_start if difat_sectors else _END, difat_sectors,
    )  # fmt: skip
    head = places[:_IN_HEADER] + [_FREE] * (_IN_HEADER - len(places))
    out = header + struct.pack(f"<{_IN_HEADER}L", *head) + body + _table(fat)
    per_sector = _SECTOR // 4 - 1
    for i in range(difat_sectors):
        part = places[_IN_HEADER + i * per_sector :][:per_sector]
        part += [_FREE] * (per_sector - len(part))
        out += struct.pack(f"<{per_sector + 1}L", *part, difat_start + i + 1 if i + 1 < difat_sectors else _END)
    return bytes(out)


@dataclass
class _Node:
    """A directory entry; left, right and child are places in the directory."""

    name: str
    kind: int
    data: bytes = b""
    color: int = _BLACK
    left: int = _FREE
    right: int = _FREE
    child: int = _FREE
    start: int = 0
    size: int = 0
    inner: list["_Node"] = field(default_factory=list)


def _flat(tree: Tree) -> list[_Node]:
    """All entries, the root first, each storage's children as a red-black tree."""
    root = _Node("Root Entry", _ROOT, inner=_children(tree))
    nodes = [root]
    for node in nodes:  # grows while it is walked: children stand behind their storage
        first = len(nodes)
        nodes.extend(node.inner)
        node.child = _balance(nodes, first, len(nodes), len(node.inner).bit_length())
    return nodes


def _children(tree: Tree) -> list[_Node]:
    nodes = []
    for name, content in tree.items():
        if not 0 < len(name) <= _MAX_NAME or set(name) & set("/\\:!"):
            raise ValueError(f"{name!r} cannot be the name of a stream or storage")
        if isinstance(content, bytes):
            nodes.append(_Node(name, _STREAM, content))
        else:
            nodes.append(_Node(name, _STORAGE, inner=_children(content)))
    if len({n.name.upper() for n in nodes}) != len(nodes):
        raise ValueError("two streams or storages bear one name")
    return sorted(nodes, key=lambda n: (len(n.name.encode("utf-16-le")), n.name.upper()))


def _balance(nodes: list[_Node], first: int, stop: int, height: int, depth: int = 1) -> int:
    """Link nodes[first:stop] into a balanced tree and return its root.

    All levels but the last are full; if that one is not, its nodes are red and so every path has as many black ones.
    """
    if first >= stop:
        return _FREE
    middle = (first + stop) // 2
    node = nodes[middle]
    node.color = _RED if depth == height and depth > 1 else _BLACK
    node.left = _balance(nodes, first, middle, height, depth + 1)
    node.right = _balance(nodes, middle + 1, stop, height, depth + 1)
    return middle


def _append(data: bytes, body: bytearray, fat: list[int], size: int) -> int:
    """Lay a stream down in whole sectors, chain them, and return the first; no sector for no bytes."""
    if not data:
        return _END
    first, count = len(fat), -(-len(data) // size)
    body += data + bytes(-len(data) % size)
    fat += [*range(first + 1, first + count), _END]
    return first


def _table(fat: list[int]) -> bytes:
    """A table of sectors, in whole sectors itself."""
    padded = fat + [_FREE] * (-len(fat) % (_SECTOR // 4))
    return struct.pack(f"<{len(padded)}L", *padded)


def _table_sizes(sectors: int) -> tuple[int, int]:
    """How many sectors the table needs to chain all, itself included, and the list of its sectors beyond the header."""
    fat = difat = 0
    while True:
        need = -(-(sectors + fat + difat) // (_SECTOR // 4))
        more = max(0, -(-(need - _IN_HEADER) // (_SECTOR // 4 - 1)))
        if (need, more) == (fat, difat):
            return fat, difat
        fat, difat = need, more


def _entry(node: _Node) -> bytes:
    name = (node.name + "\0").encode("utf-16-le") if node.kind else b""
    return struct.pack(
        "<64sH2B3L36xLQ", name, len(name), node.kind, node.color if node.kind else 0,
        node.left, node.right, node.child, node.start, node.size,
    )  # fmt: skip
