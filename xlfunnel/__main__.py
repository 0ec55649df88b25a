"""`python -m xlfunnel` is the command line."""

import sys

from xlfunnel.cli import main

if __name__ == "__main__":
    sys.exit(main())
