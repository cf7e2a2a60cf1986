"""Values that have broken loaders before, as hypothesis strategies."""

import datetime as dt

from hypothesis import strategies as st

NASTY_TEXTS = [
    "", " ", "NULL", "null", "\\N", "\\.", "\\", "\\\\", '"', '""', "'", ",", ";", "\t", "\n", "\r", "\r\n",
    "\n\\.\n", "\\.\n\\N", 'a"b,c\n"', "%", "%s", "%(x)s", "{", "}", "{}", "{0}", "\ufeff", "\u2028", "\x01",
    "\x7f", "\x1a", "naïve", "日本", "👩‍👩‍👧", "\U0010ffff", "e\u0301",
]  # fmt: skip
TEXTS = st.sampled_from(NASTY_TEXTS) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8
)
FLOATS = st.floats(allow_nan=True, allow_infinity=True)
INTEGERS = st.integers(-(2**63), 2**63 - 1)
TIMES = st.datetimes(dt.datetime.min, dt.datetime.max)  # noqa: DTZ901  the zone is the column's
MOMENTS = TIMES.map(lambda moment: moment.replace(tzinfo=dt.UTC))
DATES = st.dates()
