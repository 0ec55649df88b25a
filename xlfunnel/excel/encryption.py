"""Workbooks that open with a password only: Office's own agile encryption, AES-256."""

from pathlib import Path
from typing import BinaryIO

from xlfunnel.errors import WorkbookError

MOST_CHARACTERS = 255
"""The longest password that Excel lets anybody type."""


def encrypt(plain: Path, password: str, out: BinaryIO) -> None:
    """Write the workbook `plain` to `out`, encrypted. Decrypted again it is the same bytes."""
    from msoffcrypto.format.ooxml import OOXMLFile  # brings a cryptographic library along, which few runs need

    with plain.open("rb") as file:
        OOXMLFile(file).encrypt(password, out)


def decrypt(path: Path, password: str, out: BinaryIO) -> bool:
    """Write what the encrypted workbook `path` holds to `out`; False if the password is another one.

    Raises WorkbookError `workbook.damaged` for a file that is not sound.
    """
    from msoffcrypto import OfficeFile
    from msoffcrypto.exceptions import InvalidKeyError

    with path.open("rb") as file:
        try:
            office = OfficeFile(file)
            office.load_key(password=password, verify_password=True)
        except InvalidKeyError:
            return False
        except Exception as e:  # of many kinds, one for each thing that can be wrong with such a file
            raise WorkbookError("workbook.damaged", part=path.name, reason=e) from None
        try:
            office.decrypt(out, verify_integrity=True)
        except Exception as e:
            raise WorkbookError("workbook.damaged", part=path.name, reason=e) from None
    return True
