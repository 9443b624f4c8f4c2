"""A PDF without the hour and the time zone at which it was drawn: equal graphs give equal bytes.

This room knows nothing of the project.
"""

from __future__ import annotations

import re

_DATE = re.compile(rb"/CreationDate \(D:[^)]*\)")
_NO_DATE = b"/CreationDate (D:20000101000000Z)"
_TABLE = b"\nxref\n"
_OFFSET = re.compile(rb"(?m)^\d{10}(?= \d{5} n)")
_START = re.compile(rb"(?<=\nstartxref\n)\d+")


def undated(pdf: bytes) -> bytes:
    r"""The PDF with a fixed date in place of its own, and its table of places moved by the difference.

    >>> pdf = b"1 0 obj\n/CreationDate (D:20260101120000+09'00)\nxref\n0 1\nstartxref\n50\n"
    >>> undated(pdf)[-13:]
    b'startxref\n45\n'
    """
    date = _DATE.search(pdf)
    if date is None or _TABLE not in pdf:  # a compressed table, say: then the date is compressed, too
        return pdf
    shift = len(_NO_DATE) - len(date[0])

    def moved(match: re.Match[bytes]) -> bytes:
        offset = int(match[0])
        return b"%0*d" % (len(match[0]), offset + shift if offset > date.start() else offset)

    body, table, places = pdf.rpartition(_TABLE)
    places = _START.sub(moved, _OFFSET.sub(moved, places))
    return body[: date.start()] + _NO_DATE + body[date.end() :] + table + places
