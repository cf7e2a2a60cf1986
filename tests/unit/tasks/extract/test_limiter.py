import threading

from hypothesis import given
from hypothesis import strategies as st

from tasks.extract.limiter import RateLimiter
from tasks.pipeline import RateLimit


class Clock:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Stop(threading.Event):
    """Waiting for it moves the clock instead of taking time."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self._clock.now += timeout
        return False


@given(
    requests=st.integers(1, 5),
    per_s=st.floats(0.1, 10),
    idle_s=st.lists(st.floats(0, 5), min_size=1, max_size=40),
)
def test_no_window_holds_more_requests_than_declared(
    requests: int, per_s: float, idle_s: list[float]
) -> None:
    clock = Clock()
    limiter = RateLimiter(RateLimit(requests=requests, per_s=per_s), clock=clock)
    sent = []
    for seconds in idle_s:
        clock.now += seconds
        limiter.wait(Stop(clock))
        sent.append(clock.now)
    for position, moment in enumerate(sent[requests:]):
        assert moment - sent[position] >= per_s * 0.999


def test_requests_within_the_limit_do_not_wait() -> None:
    clock = Clock()
    limiter = RateLimiter(RateLimit(requests=3), clock=clock)
    for _ in range(3):
        limiter.wait(Stop(clock))
    assert clock.now == 100.0


def test_a_pause_holds_everyone_back() -> None:
    clock = Clock()
    limiter = RateLimiter(None, clock=clock)
    limiter.pause(7)
    limiter.pause(3)
    limiter.wait(Stop(clock))
    assert clock.now == 107.0


def test_a_stop_ends_the_waiting() -> None:
    limiter = RateLimiter(None)
    limiter.pause(1000)
    stop = threading.Event()
    stop.set()
    limiter.wait(stop)


def test_a_pause_that_others_were_told_of_is_no_news() -> None:
    limiter = RateLimiter(None, clock=lambda: 100.0)
    assert limiter.pause(10)
    assert not limiter.pause(10.5)
    assert not limiter.pause(3)
    assert limiter.pause(30)
