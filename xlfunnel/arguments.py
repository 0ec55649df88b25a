"""The words of the command line: which commands and options there are, and their help in the reader's language."""

import argparse
import locale
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from xlfunnel import __version__
from xlfunnel.errors import UsageError
from xlfunnel.settings import LANGUAGES
from xlfunnel.strings import Words


@dataclass(frozen=True)
class Option:
    """One option: `flags` as typed; `kind` is "file", "date", "text" or "flag"; `metavar` stands for the value."""

    flags: tuple[str, ...]
    kind: str = "file"
    metavar: str = "F"


OPTIONS: Mapping[str, Option] = {
    "output": Option(("-o", "--output"), metavar="OUT"),
    "history": Option(("--history",)),
    "owners": Option(("--owners",)),
    "settings": Option(("--settings",)),
    "sheet": Option(("--sheet",), "text", "NAME"),
    "as_of": Option(("--as-of",), "date", "D"),
    "date_order": Option(("--date-order",), "text", "O"),
    "into": Option(("--workbook",), metavar="BOOK"),
    "region": Option(("--region",), "text", "R"),
    "template": Option(("--template",)),
    "json": Option(("--json",)),
    "engine": Option(("--engine",), "text", "E"),
    "folder": Option(("-o", "--output"), metavar="DIR"),
    "manifest": Option(("--manifest",)),
    "partial": Option(("--partial",), "flag"),
    "password_file": Option(("--password-file",)),
    "python": Option(("--python",), metavar="ZIP"),
    "lang": Option(("--lang",), "text", "L"),
    "debug": Option(("--debug",), "flag"),
}


@dataclass(frozen=True)
class Command:
    """One command: what stands bare on its line, which options it takes, which of all these it cannot do without."""

    positional: str = ""
    many: bool = False
    options: tuple[str, ...] = ()
    required: tuple[str, ...] = ()


COMMANDS: Mapping[str, Command] = {
    "demo": Command(options=("output", "json")),
    "report": Command(
        "source", True,
        ("output", "history", "owners", "settings", "sheet", "as_of", "date_order", "region", "template", "json",
         "engine"),
        ("source", "output"),
    ),
    "refresh": Command("workbook", False, ("output", "json"), ("workbook",)),
    "check": Command(
        "source", True, ("history", "owners", "settings", "sheet", "as_of", "date_order", "region"), ("source",)
    ),
    "split": Command(
        "source", True,
        ("folder", "history", "owners", "settings", "sheet", "as_of", "date_order", "region", "password_file"),
        ("source", "folder"),
    ),
    "consolidate": Command(
        "returned", True, ("output", "manifest", "password_file", "settings", "as_of", "partial", "json"),
        ("returned", "output"),
    ),
    "map": Command("source", True, ("output", "settings", "sheet", "into"), ("source",)),
    "template": Command(options=("output",), required=("output",)),
    "bundle": Command(options=("output", "python"), required=("output",)),
    "doctor": Command(),
}  # fmt: skip
_ALWAYS = ("lang", "debug")


def language(argv: Sequence[str]) -> tuple[str, bool]:
    """The language to speak, and whether it was asked for with --lang.

    --lang wins, then the environment's XLFUNNEL_LANG, then a Chinese system locale; English otherwise.
    Raises UsageError for a language that there is not.
    """
    for i, word in enumerate(argv):
        name, given, value = word.partition("=")
        if name == "--lang" and (given or i + 1 < len(argv)):
            return _known_language(value if given else argv[i + 1]), True
    named = os.environ.get("XLFUNNEL_LANG", "")
    return (_known_language(named) if named else system_language()), False


def system_language() -> str:
    """The language of the system's locale: zh-CN if that is Chinese, English otherwise."""
    named = next((v for n in ("LC_ALL", "LC_MESSAGES", "LANG") if (v := os.environ.get(n))), None)
    spoken = (named or locale.getlocale()[0] or "").lower()
    return "zh-CN" if spoken.startswith(("zh", "chinese")) else "en"


def parse(argv: Sequence[str], say: Words) -> argparse.Namespace:
    """The arguments as typed: `command` and one attribute per option.

    Prints help and exits as argparse does; raises UsageError for everything that cannot be understood.
    """
    parser = _parser(say)
    try:
        args, rest = parser.parse_known_args(list(argv))
    except argparse.ArgumentError as e:
        raise _misunderstood(argv, e) from None
    if not args.command and not rest:
        parser.print_help()
        parser.exit(2)
    command = COMMANDS.get(args.command, Command())
    if command.many:  # argparse takes bare words in one run only
        getattr(args, command.positional).extend(Path(r) for r in rest if not r.startswith("-"))
        rest = [r for r in rest if r.startswith("-")]
    if rest:
        flags = [f for name in (*command.options, *_ALWAYS) for f in OPTIONS[name].flags]
        near = get_close_matches(rest[0], flags, n=1)
        hint = near[0] if near else " ".join(filter(None, ("xlfunnel", args.command, "--help")))
        raise UsageError("cli.unknown_argument", argument=rest[0], hint=hint)
    for name in command.required:
        if not getattr(args, name):
            shown = "/".join(OPTIONS[name].flags) if name in OPTIONS else name.upper()
            raise UsageError("cli.missing_argument", argument=shown, command=args.command)
    return args


def _misunderstood(argv: Sequence[str], error: argparse.ArgumentError) -> UsageError:
    if error.argument_name == "COMMAND":
        typed = next((a for a in argv if not a.startswith("-") and a not in LANGUAGES), "")
        hint = get_close_matches(typed, COMMANDS, n=1)
        return UsageError("cli.unknown_command", command=typed, hint=hint[0] if hint else ", ".join(COMMANDS))
    return UsageError("cli.missing_value", argument=error.argument_name)


def _parser(say: Words) -> argparse.ArgumentParser:
    parser = _Parser(say, prog="xlfunnel", description=say("cli.help.program"), epilog=say("cli.help.exit_codes"))
    general = parser.add_argument_group(say("cli.help.options"))
    general.add_argument("-h", "--help", action="help", help=say("cli.help.option.help"))
    general.add_argument("--version", action="version", version=__version__, help=say("cli.help.option.version"))
    _add_options(general, _ALWAYS, say, absent=None)
    commands = parser.add_subparsers(title=say("cli.help.commands"), dest="command", metavar="COMMAND")
    for name, command in COMMANDS.items():
        about = say(f"cli.help.command.{name}")
        sub = commands.add_parser(name, say=say, help=about, description=about)
        group = sub.add_argument_group(say("cli.help.options"))
        if command.positional:
            group.add_argument(
                command.positional,
                nargs="*" if command.many else "?",
                type=Path,
                metavar=command.positional.upper(),
                help=say(f"cli.help.option.{command.positional}"),
            )
        group.add_argument("-h", "--help", action="help", help=say("cli.help.option.help"))
        _add_options(group, command.options, say, absent=None)
        _add_options(group, _ALWAYS, say, absent=argparse.SUPPRESS)
    return parser


def _add_options(group: argparse._ArgumentGroup, names: Sequence[str], say: Words, absent: str | None) -> None:
    for name in names:
        option = OPTIONS[name]
        about = say(f"cli.help.option.{name}")
        if option.kind == "flag":
            group.add_argument(*option.flags, dest=name, action="store_true", default=absent or False, help=about)
        else:
            group.add_argument(
                *option.flags, dest=name, metavar=option.metavar, default=absent, help=about, type=_KINDS[option.kind]
            )


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError("cli.bad_date", value=text) from None


def _known_language(text: str) -> str:
    plain = text.replace("_", "-").lower()
    for known in LANGUAGES:
        if plain in (known.lower(), known.partition("-")[0]):
            return known
    raise UsageError("cli.unknown_language", value=text, allowed=", ".join(LANGUAGES))


_KINDS: Mapping[str, Callable[[str], Any]] = {"file": Path, "date": _date, "text": str}


class _Help(argparse.HelpFormatter):
    """Help whose own few words are in the reader's language."""

    def __init__(self, prog: str, say: Words) -> None:
        super().__init__(prog)
        self._usage = say("cli.help.usage") + " "

    def add_usage(self, usage: str | None, actions: Any, groups: Any, prefix: str | None = None) -> None:
        super().add_usage(usage, actions, groups, self._usage if prefix is None else prefix)


class _Parser(argparse.ArgumentParser):
    def __init__(self, say: Words, prog: str, description: str, epilog: str | None = None) -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog=epilog,
            formatter_class=lambda prog: _Help(prog, say),
            add_help=False,
            allow_abbrev=False,
            exit_on_error=False,
        )

    def error(self, message: str) -> NoReturn:
        raise UsageError("cli.not_understood", reason=message)
