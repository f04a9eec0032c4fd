"""What is asked of the engine that evaluates, and what it may answer: numbers and the class of an error."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg

from expectations.arguments import Arguments


@dataclass(frozen=True)
class Rule:
    """One expectation with its arguments."""

    expectation: str
    arguments: Arguments


@dataclass(frozen=True)
class Counts:
    """What came of one rule. `error` is the class of what went wrong, when the rule could not run."""

    success: bool
    checked: int | None
    failed: int | None
    error: str | None = None


def class_name(problem: BaseException | Mapping[str, object]) -> str:
    """Reduce an error, or Great Expectations' account of one, to its class: messages quote values.

    The class is only believed if the database driver has one of that name, so that no text of a message can
    pass for it.
    """
    if isinstance(problem, BaseException):
        original = getattr(problem, "orig", None) or problem
        return type(original).__name__
    for word in re.findall(r"\(psycopg2\.errors\.([A-Za-z]+)\)", str(problem)):
        if hasattr(psycopg.errors, word):
            return str(word)
    return "the expectation could not be computed"
