"""Turns cells into the text that the CSV file of the same table would hold, so that one conformer serves both."""

import re
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from ingestion.contract import Column
from ingestion.sheet import NOT_CALCULATED, Cell, SheetFault

# What Excel itself keeps and shows of a number; the digits behind are noise of binary fractions.
EXCEL_DIGITS = 15
LONGEST_NUMBER = 64
WIDEST_EXPONENT = 310
SECONDS_A_DAY = 86_400
LAST_SERIAL = 2_958_465
LEAP_DAY_THAT_NEVER_WAS = 60

# Formats that every workbook knows without declaring them.
BUILT_IN_DATES = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))

_INTEGER = re.compile(r"-?\d+")
_NUMBER = re.compile(r"-?\d*\.?\d+(E[-+]?\d+)?", re.IGNORECASE)
_NOT_A_UNIT = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?![hms]+\])[^\]]*\]', re.IGNORECASE)
_ONLY_ZEROS = re.compile(r"0{2,}")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def is_date_format(code: str) -> bool:
    """Tell whether a number format shows a date or a time: it holds a unit outside quotes, escapes and colours."""
    return bool(re.search(r"[dmyhs]", _NOT_A_UNIT.sub("", code.partition(";")[0]), re.IGNORECASE))


def leading_zeros(code: str) -> int:
    """Give how many digits a format of zeros alone, such as 00000, shows at least."""
    return len(code) if _ONLY_ZEROS.fullmatch(code) else 0


def unescape(text: str) -> str:
    """Undo the format's way of writing characters that XML cannot hold."""
    return _ESCAPED.sub(lambda found: chr(int(found.group(1), 16)), text) if "_x" in text else text


def number_text(raw: str, column: Column | None, digits: int) -> str:
    """Write a number out: no exponent, no binary noise, the decimal places that its column keeps, a code's zeros."""
    if len(raw) > LONGEST_NUMBER or not _NUMBER.fullmatch(raw):
        return raw
    if _INTEGER.fullmatch(raw):
        text = raw
    else:
        try:
            number = Decimal(raw)
            if not number or abs(number.adjusted()) > WIDEST_EXPONENT:
                return "0" if not number else raw
            number = round_to(number, EXCEL_DIGITS - 1 - number.adjusted())
            if column and column.kind == "number":
                number = round_to(number, column.scale + len(str(column.pounds_per_unit)) - 1)
        except InvalidOperation:
            return raw
        text = f"{number:f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        text = "0" if text in {"-0", ""} else text
    if digits and _INTEGER.fullmatch(text) and (column is None or column.kind == "string"):
        return f"-{text[1:].zfill(digits)}" if text.startswith("-") else text.zfill(digits)
    return text


def round_to(number: Decimal, places: int) -> Decimal:
    """Round half away from zero, as Excel shows a number; never adds places."""
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or -exponent <= places:
        return number
    return number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def date_text(raw: str, column: Column | None, since_1904: bool) -> str:
    """Write a serial number as its column's contract writes dates, with the time only if there is one.

    Days that Excel shows and no calendar has, 0 January and 29 February 1900, come out as such, to be rejected.
    """
    try:
        serial = Decimal(raw)
    except InvalidOperation:
        return raw
    if not serial.is_finite() or not 0 <= serial <= LAST_SERIAL:
        return raw
    seconds = int(((serial % 1) * SECONDS_A_DAY).to_integral_value(ROUND_HALF_UP))
    days = int(serial) + seconds // SECONDS_A_DAY
    pattern = column.date_format if column else "%Y-%m-%d"
    if since_1904:
        day = (datetime(1904, 1, 1) + timedelta(days=days)).strftime(pattern)  # noqa: DTZ001
    elif days in {0, LEAP_DAY_THAT_NEVER_WAS}:
        parts = ("00", "01") if days == 0 else ("29", "02")
        day = pattern.replace("%d", parts[0]).replace("%m", parts[1]).replace("%Y", "1900")
    else:
        before_the_gap = days < LEAP_DAY_THAT_NEVER_WAS
        day = (datetime(1899, 12, 30) + timedelta(days=days + before_the_gap)).strftime(pattern)  # noqa: DTZ001
    if column and column.kind == "timestamp":
        return f"{day} {_clock(seconds % SECONDS_A_DAY)}"
    return day if seconds % SECONDS_A_DAY == 0 else f"{day} {_clock(seconds % SECONDS_A_DAY)}"


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def cell_text(cell: Cell, column: Column | None, strings: list[str], style: tuple[bool, int], since_1904: bool) -> str:
    """Give a cell's text; `style` says whether it shows a date, and how many digits it shows at least."""
    match cell.kind:
        case "s":
            place = int(cell.text) if cell.text.isdecimal() and len(cell.text) < 9 else -1
            if not 0 <= place < len(strings):
                raise SheetFault("a cell refers to a text that is not there")
            return strings[place]
        case "str" | "inlineStr":
            return unescape(cell.text)
        case "b":
            return "TRUE" if cell.text == "1" else "FALSE"
        case "e":
            return cell.text
        case kind if kind == NOT_CALCULATED:
            raise SheetFault(
                f"row {cell.text} holds a formula without its result: open the workbook in Excel, let it calculate, "
                "and save it"
            )
        case "d":
            return _iso_date_text(cell.text, column)
        case _:
            is_date, digits = style
            return date_text(cell.text, column, since_1904) if is_date else number_text(cell.text, column, digits)


def _iso_date_text(raw: str, column: Column | None) -> str:
    try:
        moment = datetime.fromisoformat(raw)
    except ValueError:
        return raw
    pattern = column.date_format if column else "%Y-%m-%d"
    has_time = (column is not None and column.kind == "timestamp") or moment.time() != datetime.min.time()
    return moment.strftime(f"{pattern} %H:%M:%S" if has_time else pattern)
