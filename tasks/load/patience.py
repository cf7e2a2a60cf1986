"""A connection that gives up on a server that answers no more, and has the server give up on it."""

import time

import psycopg
from psycopg.abc import RV, PQGen

PATIENCE_S = 300.0
"""As `tcp_user_timeout`: for what no `statement_timeout` bounds."""
GRACE_S = 60.0
"""So much later than its `statement_timeout` a statement is given up, which the server should have ended."""
KEEPALIVES = """
SET LOCAL tcp_keepalives_idle = 30; SET LOCAL tcp_keepalives_interval = 10; SET LOCAL tcp_keepalives_count = 3
"""
"""Has the server ask for its client as often as that asks for it, and end the transaction when it is gone.
With the system's defaults, the locks of a run whose network is gone stay for two hours."""
_INTERVAL_S = 0.1


class PatientConnection(psycopg.Connection[tuple[object, ...]]):
    """A connection that waits for so long for the server's next sign, and is closed then.

    While something acknowledges packets, TCP itself waits for ever: a pooler whose server is gone, a server
    that hangs, a load balancer in between. Slow answers are no matter: what bounds a statement is the server.
    """

    patience_s = PATIENCE_S

    def wait(self, gen: PQGen[RV], interval: float = _INTERVAL_S, timeout: float | None = None) -> RV:
        """As psycopg, which does all its waiting here."""
        return super().wait(self._listen(gen), interval, timeout)

    def _listen(self, gen: PQGen[RV]) -> PQGen[RV]:
        heard_at = time.monotonic()
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if ready:
                    heard_at = time.monotonic()
                elif time.monotonic() - heard_at > self.patience_s:
                    # Else leaving a transaction or a COPY would ask it once more.
                    self.close()
                    raise psycopg.OperationalError(f"the server did not answer for {self.patience_s:.0f} s")
                wanted = gen.send(ready)
        except StopIteration as end:
            result: RV = end.value
            return result
