"""Errors carry facts; the edge (command line, macro) finds the words in `strings/errors`."""


class XlfunnelError(Exception):
    """Anything the user can be told in one sentence: `code` names it, `params` fill it in.

    `code` is a key under `errors.` in the string tables, e.g. `input.missing_file`.
    """

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(f"{code} {params}" if params else code)
        self.code = code
        self.params = params


class InputError(XlfunnelError):
    """The data or a file that was given cannot be used as it is."""


class SettingsError(XlfunnelError):
    """A setting is unknown, of the wrong kind or out of its range."""


class WorkbookError(XlfunnelError):
    """The workbook to fill is not one of ours, is damaged, or cannot be written."""


class UsageError(XlfunnelError):
    """The command line cannot be understood or must not be carried out."""
