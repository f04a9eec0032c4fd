"""Recognises a code that is written otherwise than its list has it: releases of one system differ in such things."""

import polars as pl

# Letters of other alphabets that look like these; they come from copying out of documents and other systems.
LOOK_ALIKES = dict(
    zip(
        "авеіјкмнорсѕтухԁԛԝαβεηικμνορτυχ",
        "abeijkmhopcstyxdqwabenikmvoptux",
        strict=True,
    )
)
# Digits taken for letters, and letters for each other, where no two codes differ in that alone.
MISREADINGS = {"0": "o", "1": "i", "l": "i", "|": "i"}


def normalised(text: pl.Expr, codes: tuple[str, ...]) -> pl.Expr:
    """Give the code that a text means, or null: capitals, spaces, dashes and look-alike characters do not count."""
    keys = {normalise(code): code for code in codes}
    if len(keys) < len(codes):
        return pl.lit(None, dtype=pl.String)
    misread = {_misread(key): code for key, code in keys.items()}
    exactly = _folded(text)
    found = exactly.replace_strict(keys, default=None, return_dtype=pl.String)
    if len(misread) < len(codes):
        return found
    roughly = exactly.str.replace_many(list(MISREADINGS), list(MISREADINGS.values()))
    return pl.coalesce(found, roughly.replace_strict(misread, default=None, return_dtype=pl.String))


def normalise(code: str) -> str:
    """Give what codes are compared by."""
    return str(pl.select(_folded(pl.lit(code))).item())


def _folded(text: pl.Expr) -> pl.Expr:
    return (
        text.str.normalize("NFKC")
        .str.to_lowercase()
        .str.replace_many(list(LOOK_ALIKES), list(LOOK_ALIKES.values()))
        .str.replace_all(r"[\s\p{Pd}\x{2212}_]+", " ")
        .str.strip_chars()
    )


def _misread(key: str) -> str:
    return "".join(MISREADINGS.get(character, character) for character in key)
