"""The pages of many parents' children, several parents at once."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from tasks.extract.pages import Answer, PageRequest
from tasks.extract.pagination.protocol import Paginator, Reads
from tasks.extract.parents import Family

_log = logging.getLogger(__name__)

FAMILIES_AT_ONCE = 32
"""A constant, since the order of the pages follows from it, and a resumed extraction must ask in the same."""
MISSING = (404, 410)


class Branch:
    """One request's pages: those of one parent's children, or of a window of them."""

    def __init__(self, part: int, paginator: Paginator, carry: Mapping[str, Any]) -> None:
        self.part = part
        self.paginator = paginator
        self.carry = carry
        self.upcoming = paginator.next_request()
        self.requested = 0
        self.taken = 0
        self.received = 0

    def pop(self) -> PageRequest:
        """The next request; what comes after it is found out at once, since order may not depend on time."""
        request, self.upcoming = self.upcoming, self.paginator.next_request()
        assert request is not None
        self.requested += 1
        return request

    def take(self, answer: Answer) -> None:
        """Hand the answer to the paginator, numbered as that counts."""
        self.taken += 1
        self.received += answer.count()
        page = msgspec.structs.replace(answer.page, number=self.taken)
        self.paginator.take(msgspec.structs.replace(answer, page=page))
        if self.upcoming is None:
            self.upcoming = self.paginator.next_request()


class ChildPages:
    """The pages of many branches, each branch in its order.

    A branch waits in line with the requests that it knows; when its answers brought others, it stands at the
    end again, and when it is done, the next parent takes its place. So children are fetched concurrently
    even where each of their pages names the next, few are under way, and the order depends on answers alone.
    """

    def __init__(
        self, make: Callable[[PageRequest], Paginator], families: Iterable[Family], *, skip_missing: bool
    ) -> None:
        self.reads: Reads = make(PageRequest(0)).reads
        self.total_pages: int | None = None
        self.part = 0
        """The branch of the last answer: those of two parents may hold the same records."""
        self.skipped = 0
        self._make = make
        self._accepts = MISSING if skip_missing else ()
        self._coming: Iterator[Branch] = self._open_branches(families)
        self._line: deque[Branch] = deque()
        self._pending: deque[Branch] = deque()
        self._requested = 0
        self._carry: Mapping[str, Any] = {}
        for _ in range(FAMILIES_AT_ONCE):
            self._begin_next()

    def next_request(self) -> PageRequest | None:
        """The next request of the first branch in line."""
        if not self._line:
            return None
        branch = self._line[0]
        is_first = branch.requested == 0
        request = branch.pop()
        if branch.upcoming is None:
            self._line.popleft()
        self._pending.append(branch)
        self._requested += 1
        accepts = (*request.accepts, *self._accepts) if is_first else request.accepts
        return msgspec.structs.replace(request, number=self._requested, accepts=accepts)

    def take(self, answer: Answer) -> None:
        """Hand the answer to its branch, and let that stand in line again, or the next one.

        Raises:
            PagesShiftedError: The branch is at its end, and received another number than it announced.
        """
        branch = self._pending.popleft()
        self.part, self._carry = branch.part, branch.carry
        self.skipped += answer.is_missing and branch.taken == 0
        was_waiting = branch.upcoming is None
        branch.take(answer)
        if was_waiting and branch.upcoming is not None:
            self._line.append(branch)
        elif branch.upcoming is None and branch.taken == branch.requested:
            if not answer.is_missing:
                branch.paginator.finish(branch.received)
            self._begin_next()

    def withdraw(self) -> bool:
        """Never: branches ask for nothing ahead of what they know."""
        return False

    def finish(self, received: int) -> None:  # noqa: ARG002  (each branch was checked at its end)
        """Say how many parents had no children."""
        if self.skipped:
            _log.warning("%d parents have no children: the API answered 404 or 410.", self.skipped)

    def state(self) -> Mapping[str, Any]:
        """The branch of the last page, and what its records receive of the parent."""
        return {"branch": self.part, "carry": self._carry}

    def _open_branches(self, families: Iterable[Family]) -> Iterator[Branch]:
        part = 0
        for family in families:
            for start in family.starts:
                part += 1
                yield Branch(part, self._make(start), family.carry)

    def _begin_next(self) -> None:
        for branch in self._coming:
            if branch.upcoming is not None:
                self._line.append(branch)
                return
