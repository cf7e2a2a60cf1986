"""Compressed bodies, unfolded piece by piece."""

import gzip
import threading
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.errors import FatalError
from tasks.extract import codings

BODIES = st.lists(st.binary(max_size=40) | st.integers(0, 3_000).map(lambda count: b"a" * count), max_size=4)


@pytest.mark.parametrize("piece", [1, 7, 300])
@settings(max_examples=20)
@given(parts=BODIES)
def test_the_pieces_of_all_members_make_the_body(piece: int, parts: list[bytes]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codings, "_PIECE_BYTES", piece)
        members = b"".join(map(gzip.compress, [b"", *parts]))
        body = b"".join(parts)
        assert codings.decode(members, ["gzip"], most_bytes=20_000) == body
        assert codings.decode(zlib.compress(body), ["deflate"], most_bytes=20_000) == body
        with pytest.raises(zlib.error, match=r"break off|incomplete|invalid"):
            codings.decode(zlib.compress(body)[:-1], ["deflate"], most_bytes=20_000)


def test_bombs_on_all_connections_take_the_room_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codings, "_PIECE_BYTES", 100_000)
    monkeypatch.setattr(codings, "_LARGE_BYTES", 1_000_000)
    bomb = gzip.compress(b" " * 30_000_000)
    barrier = threading.Barrier(8)

    def unfold(_number: int) -> FatalError:
        barrier.wait()
        with pytest.raises(FatalError, match="larger than 20 MB") as refused:
            codings.decode(bomb, ["gzip"], most_bytes=20_000_000)
        return refused.value

    tracemalloc.start()
    try:
        with ThreadPoolExecutor(8) as pool:
            errors = list(pool.map(unfold, range(8)))
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(errors) == 8
    assert held < 5_000_000
    assert peak < 40_000_000
