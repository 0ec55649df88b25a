"""Every word a person reads, in `strings/<language>/<topic>.toml`, one topic a file.

A key is the topic and the path inside its file: `errors.input.missing_file`. Placeholders are `{name}`.
"""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from xlfunnel.terms import Field, IssueCode


class Words:
    """The words of one language. `words("flags.below_mean", mean=3)` gives the filled-in sentence."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._table = table(language)

    def __call__(self, key: str, **params: object) -> str:
        """The text of `key` with its placeholders filled. Raises KeyError for a key that does not exist.

        A field or a cause among the params is filled in as its own word, several as a list.
        """
        text = self._table[key]
        return text.format(**{name: self._shown(value) for name, value in params.items()}) if params else text

    def has(self, key: str) -> bool:
        """True if there is a text of that key."""
        return key in self._table

    def _shown(self, value: object) -> object:
        if isinstance(value, Field):
            return self._table[f"input.field.{value}"]
        if isinstance(value, IssueCode):
            return self._table[f"issues.code.{value}"]
        if isinstance(value, tuple):
            return ("、" if self.language == "zh-CN" else ", ").join(str(self._shown(v)) for v in value)
        return value


@cache
def words(language: str) -> Words:
    """The words of `language` ("zh-CN" or "en"), read once."""
    return Words(language)


@cache
def table(language: str) -> dict[str, str]:
    """Flat `{key: text}` of one language."""
    flat: dict[str, str] = {}
    for part in sorted(files(__name__).joinpath(language).iterdir(), key=lambda p: p.name):
        if part.name.endswith(".toml"):
            _flatten(part.name.removesuffix(".toml"), tomllib.loads(part.read_text("utf-8")), flat)
    return flat


def _flatten(prefix: str, node: dict[str, Any], flat: dict[str, str]) -> None:
    for key, value in node.items():
        if isinstance(value, dict):
            _flatten(f"{prefix}.{key}", value, flat)
        else:
            flat[f"{prefix}.{key}"] = value
