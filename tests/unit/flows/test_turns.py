"""Short turns: for as long as any run asks for them."""

import sys

from flows.turns import TURN_S, short_turns


def test_turns_are_short_until_the_last_run_has_ended() -> None:
    before = sys.getswitchinterval()
    with short_turns():
        with short_turns():
            assert abs(sys.getswitchinterval() - TURN_S) < 1e-9
        assert abs(sys.getswitchinterval() - TURN_S) < 1e-9
    assert sys.getswitchinterval() == before
