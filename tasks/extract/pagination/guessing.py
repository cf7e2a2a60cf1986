"""Where no total is known: what the last page looks like, and how far to ask ahead of it."""

from tasks.pipeline.paging import Positional

FURTHEST = 64


class Guesses:
    """Twice as many pages ahead with each full page, so a source of few pages is hardly asked in vain."""

    def __init__(self, declared: Positional) -> None:
        self.allowed = 1
        """How many pages may be under way."""
        self._furthest = FURTHEST if declared.ask_ahead else 1
        self._ends_short = declared.ends_with == "short_page"
        self._pages = 0
        self._full = 0

    def is_short(self, count: int) -> bool:
        """Whether a page of so many records is shorter than those before it.

        The first never is: the API may give fewer records than were asked for.
        """
        return self._pages > 0 and count < self._full

    def is_end(self, count: int) -> bool:
        """Whether a page of so many records is the last one."""
        return count == 0 or (self._ends_short and self.is_short(count))

    def take(self, count: int) -> None:
        """Learn from a page of so many records."""
        if self.is_short(count):
            self.allowed = 1
        elif self._pages:
            self.allowed = min(2 * self.allowed, self._furthest)
        self._pages += 1
        self._full = max(self._full, count)
