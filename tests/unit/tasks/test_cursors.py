import datetime as dt

import pytest

from tasks.cursors import Position, is_later, least, parse_cursor, show_cursor


@pytest.mark.parametrize(
    "position",
    [
        -5,
        2**63 - 1,
        dt.date(2024, 1, 2),
        dt.datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC),
        dt.datetime(2024, 1, 2),  # noqa: DTZ001
        dt.datetime.min.replace(tzinfo=dt.UTC),
    ],
)
def test_a_position_is_read_back_as_it_was_shown(position: Position) -> None:
    read = parse_cursor(show_cursor(position))
    assert (read, type(read)) == (position, type(position))


@pytest.mark.parametrize(
    ("found", "published"),
    [
        ("10", "9"),
        ("2024-01-02", "2024-01-01"),
        ("2024-01-01T00:00:00.000001Z", "2024-01-01T00:00:00Z"),
        ("2024-01-01T00:00:00Z", "2024-01-01T01:00:00+02:00"),
        ("anything", None),
        ("a-token", "another-token"),
        ("12", "2024-01-01"),
        ("2024-01-01", "2023-01-01T00:00:00Z"),
    ],
)
def test_a_later_cursor_is_known(found: str, published: str | None) -> None:
    assert is_later(found, published)


@pytest.mark.parametrize(
    ("found", "published"), [("9", "10"), ("10", "10"), ("a-token", "a-token"), ("2023-01-01", "2024-01-01")]
)
def test_a_cursor_never_moves_back(found: str, published: str) -> None:
    assert not is_later(found, published)


def test_the_least_cursor_is_the_earliest_not_the_first_by_letters() -> None:
    assert least(["10", "9"]) == "9"
    assert least(["2024-01-01T00:00:00Z", "2024-01-01T00:30:00+01:00"]) == "2024-01-01T00:30:00+01:00"
