"""Every word a person reads, in `strings/<language>/<topic>.toml`, one topic a file.

A key is the topic and the path inside its file: `errors.input.missing_file`. Placeholders are `{name}`.
"""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from xlfunnel.terms import Field, IssueCode


class Words:
    """The words of one language. `words("flags.below_mean", mean=3)` gives the filled-in sentence.

    A topic is read when the first of its words is asked for: no run needs them all.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self._table: dict[str, str] = {}

    def __call__(self, key: str, **params: object) -> str:
        """The text of `key` with its placeholders filled. Raises KeyError for a key that does not exist.

        A field or a cause among the params is filled in as its own word, several as a list.
        """
        text = self._text(key)
        return text.format(**{name: self._shown(value) for name, value in params.items()}) if params else text

    def has(self, key: str) -> bool:
        """True if there is a text of that key."""
        return key in self._table or key in topic(self.language, key.partition(".")[0])

    def _text(self, key: str) -> str:
        if key not in self._table:
            self._table |= topic(self.language, key.partition(".")[0])
        return self._table[key]

    def _shown(self, value: object) -> object:
        if isinstance(value, Field):
            return self._text(f"input.field.{value}")
        if isinstance(value, IssueCode):
            return self._text(f"issues.code.{value}")
        if isinstance(value, tuple):
            return ("、" if self.language == "zh-CN" else ", ").join(str(self._shown(v)) for v in value)
        return value


@cache
def words(language: str) -> Words:
    """The words of `language` ("zh-CN" or "en"), each topic read once."""
    return Words(language)


@cache
def topics(language: str) -> tuple[str, ...]:
    """The topics of one language, sorted."""
    parts = files(__name__).joinpath(language).iterdir()
    return tuple(sorted(p.name.removesuffix(".toml") for p in parts if p.name.endswith(".toml")))


@cache
def topic(language: str, name: str) -> dict[str, str]:
    """Flat `{key: text}` of one topic; empty if there is no such topic."""
    if name not in topics(language):
        return {}
    flat: dict[str, str] = {}
    _flatten(name, tomllib.loads(files(__name__).joinpath(language, f"{name}.toml").read_text("utf-8")), flat)
    return flat


def table(language: str) -> dict[str, str]:
    """Flat `{key: text}` of one language, all topics."""
    return {key: text for name in topics(language) for key, text in topic(language, name).items()}


def _flatten(prefix: str, node: dict[str, Any], flat: dict[str, str]) -> None:
    for key, value in node.items():
        if isinstance(value, dict):
            _flatten(f"{prefix}.{key}", value, flat)
        else:
            flat[f"{prefix}.{key}"] = value
