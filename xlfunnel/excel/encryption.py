"""Workbooks that open with a password only: Office's own agile encryption, AES-256."""

from pathlib import Path
from typing import BinaryIO

MOST_CHARACTERS = 255
"""The longest password that Excel lets anybody type."""


def encrypt(plain: Path, password: str, out: BinaryIO) -> None:
    """Write the workbook `plain` to `out`, encrypted. Decrypted again it is the same bytes."""
    from msoffcrypto.format.ooxml import OOXMLFile  # brings a cryptographic library along, which few runs need

    with plain.open("rb") as file:
        OOXMLFile(file).encrypt(password, out)
