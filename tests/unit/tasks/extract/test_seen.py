from hypothesis import given
from hypothesis import strategies as st

from tasks.extract.seen import FirstSeen


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3).map(lambda n: n * 1024)))
def test_what_was_seen_is_what_a_dict_remembers(keys: list[int]) -> None:
    seen, remembered = FirstSeen(), dict[int, int]()
    for number, key in enumerate(keys, start=1):
        assert seen.note(key, number) == remembered.setdefault(key, number)


def test_memory_grows_without_forgetting() -> None:
    seen = FirstSeen()
    keys = [hash(("page", number)) for number in range(5_000)]
    for number, key in enumerate(keys, start=1):
        assert seen.note(key, number) == number
    assert [seen.note(key, 9_999) for key in keys] == list(range(1, 5_001))
