"""`python -m xlfunnel` and the command `xlfunnel`: the way into the command line.

What answers at once (help) is answered before the libraries are loaded, which takes longer than anything else in a
small run; and the data of a workbook to be refreshed are parsed while they are being loaded.
"""

import gc
import sys
from contextlib import suppress

from xlfunnel import arguments
from xlfunnel.errors import XlfunnelError
from xlfunnel.strings import words

_ALLOCATIONS = 100_000
"""Objects between two searches for cycles. A command runs once, and nearly all it makes lives until it ends: searching
for what could be freed, every few hundred objects of the libraries as they are loaded, finds nothing."""


def main() -> int:
    """Run the command that was typed; the exit code."""
    gc.set_threshold(_ALLOCATIONS)
    try:
        return _run()
    finally:
        if "duckdb" not in sys.modules:  # which takes for leaked, and says so, what is not freed in the end
            gc.freeze()  # all that is left goes with the process: it need not be searched once more


def _run() -> int:
    typed, data = sys.argv[1:], None
    with suppress(XlfunnelError):  # which the command line itself comes upon, and tells
        language, _ = arguments.language(typed)
        args = arguments.parse(typed, words(language))  # help ends here
        if args.command == "refresh":
            from xlfunnel.excel.data_sheet import data_begun

            data = data_begun(args.workbook)
    from xlfunnel import cli

    return cli.main(typed, data)


if __name__ == "__main__":
    sys.exit(main())
