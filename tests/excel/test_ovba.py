"""Compression and obfuscation of [MS-OVBA], against the specification's own examples and oletools' decompressor."""

import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oletools.olevba import decompress_stream

from xlfunnel.excel.ovba import Entry, compressed, dir_records, project_names, project_text

VBA_LIKE = st.text(alphabet="abcdefghijklmnopqrstuvwxyz ABC().,=\"'_0123456789\r\n", max_size=9000)
SIZES = [0, 1, 2, 3, 4, 15, 16, 17, 4094, 4095, 4096, 4097, 4098, 8191, 8192, 8193, 12288, 117_213, 300_000]


def back(data: bytes) -> bytes:
    return bytes(decompress_stream(bytearray(data)))


# [MS-OVBA] 3.2.1 and 3.2.3.
EXAMPLES = {
    "nothing to gain": (
        b"abcdefghijklmnopqrstuv.",
        "01 19 B0 00 61 62 63 64 65 66 67 68 00 69 6A 6B 6C 6D 6E 6F 70 00 71 72 73 74 75 76 2E",
    ),
    "one letter": (b"a" * 73, "01 03 B0 02 61 45 00"),
}


@pytest.mark.parametrize(("plain", "packed"), EXAMPLES.values(), ids=EXAMPLES)
def test_the_specifications_examples_come_out_byte_for_byte(plain: bytes, packed: str) -> None:
    assert compressed(plain) == bytes.fromhex(packed)


def test_the_specifications_normal_example_is_as_short() -> None:
    """3.2.2 takes other copies of the same length than its own pseudo-code would; ours come out as long."""
    plain = b"#aaabcdefaaaaghijaaaaaklaaamnopqaaaaaaaaaaaarstuvwxyzaaa"
    packed = compressed(plain)
    assert packed[:3] == bytes.fromhex("01 2F B0")
    assert len(packed) == 3 + 0x2F + 1
    assert back(packed) == plain


@given(VBA_LIKE)
def test_text_comes_back(text: str) -> None:
    data = text.encode("ascii")
    if data:
        assert back(compressed(data)) == data


@pytest.mark.parametrize("size", SIZES)
def test_every_size_comes_back(size: int) -> None:
    line = b"    If TypeOf Application.Caller Is Range Then On Error GoTo failed 'line %d\r\n"
    data = b"".join(line % i for i in range(size // 40 + 1))[:size]
    packed = compressed(data)
    assert packed[:1] == b"\x01"
    if data:
        assert back(packed) == data
        assert len(packed) < len(data) / 2 or size < 4000


@pytest.mark.parametrize("size", [4096, 8192, 8192 + 3000])
def test_full_chunks_that_do_not_shrink_are_stored_raw(size: int) -> None:
    data = random.Random(size).randbytes(size)
    packed = compressed(data)
    assert back(packed) == data
    assert struct.unpack_from("<H", packed, 1)[0] == 0x3FFF  # raw, 4098 bytes with its header


def test_a_partial_chunk_that_does_not_shrink_is_refused() -> None:
    """Stored raw it would come back padded with zeros, as code that no compiler takes."""
    with pytest.raises(ValueError, match="last 4000 bytes"):
        compressed(random.Random(7).randbytes(4096 + 4000))


@given(st.integers(1, 4096), st.integers(1, 20))
def test_runs_and_their_overlapping_copies_come_back(length: int, period: int) -> None:
    data = (bytes(range(65, 65 + period)) * (length // period + 1))[:length]
    assert back(compressed(data)) == data


def revealed(text: str) -> tuple[int, int, bytes]:
    """Version, project key and data behind a CMG, DPB or GC value ([MS-OVBA] 2.4.3.3)."""
    raw = bytes.fromhex(text)
    seed, version, key = raw[0], raw[1] ^ raw[0], raw[2] ^ raw[0]
    plain = [key]
    for i in range(3, len(raw)):
        plain.append(raw[i] ^ ((raw[i - 2] + plain[-1]) & 0xFF))
    rest = bytes(plain[1 + (seed & 6) // 2 :])
    length = int.from_bytes(rest[:4], "little")
    assert length == len(rest) - 4
    return version, key, rest[4:]


def test_the_project_is_open_visible_and_without_password() -> None:
    guid = "{917DED54-440B-4FD1-A5C1-74ACF261E600}"
    text = project_text("xlfunnel", guid, [Entry("ThisWorkbook", "document"), Entry("Mod", "standard")]).decode("ascii")
    fields = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    found = {name: revealed(fields[name].strip('"')) for name in ("CMG", "DPB", "GC")}
    key = sum(guid.encode()) % 256
    assert found == {"CMG": (2, key, bytes(4)), "DPB": (2, key, b"\0"), "GC": (2, key, b"\xff")}
    assert fields["Document"] == "ThisWorkbook/&H00000000"
    assert fields["Module"] == "Mod"


def test_the_reader_of_obfuscation_reads_what_excel_wrote() -> None:
    """The three values of a project saved by Excel, so that the test above is not a mirror of the code."""
    guid = "{318BEE36-5BE1-492A-826D-473DB19B0F30}"
    key = sum(guid.encode()) % 256
    assert revealed("5D5F8AADDAA8DEA8DEA8DEA8DE") == (2, key, bytes(4))
    assert revealed("5D5F8AADDAADDBADDBAD") == (2, key, b"\0")
    assert revealed("5D5F8AADDAADDBADDB52") == (2, key, b"\xff")


def test_dir_records_follow_one_another_without_a_gap() -> None:
    data = dir_records("xlfunnel", [Entry("ThisWorkbook", "document"), Entry("Mod", "standard"), Entry("C", "class")])
    at, kinds = 0, []
    while at < len(data):
        kind, size = struct.unpack_from("<HL", data, at)
        kinds.append(kind)
        at += 6 + size + (2 if kind == 0x09 else 0)  # PROJECTVERSION says 4 and is 6 long (2.3.4.2.1.11)
    assert at == len(data)
    assert kinds[:2] == [0x01, 0x02]
    assert kinds[-1] == 0x10
    assert [k for k in kinds if k in (0x21, 0x22)] == [0x22, 0x21, 0x22]
    assert kinds.count(0x2B) == 3


def test_names_stand_in_both_alphabets() -> None:
    assert project_names(["Ab"]) == b"Ab\0A\0b\0\0\0\0\0"
