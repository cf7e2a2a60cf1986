"""Pages asked for by a function of the pipeline's own."""

from collections.abc import Generator, Mapping
from typing import Any

import msgspec

from tasks.errors import ConfigurationError, FatalError, PipelineError
from tasks.extract.pages import Answer, PageRequest
from tasks.extract.pagination.protocol import HeaderFact, Paginator, Reads
from tasks.pipeline.paging import CustomPages

Pages = Generator[PageRequest, Answer, None]
"""What the function is: it yields requests, and receives the answer to each.

```python
def pages_by_day(first: PageRequest) -> Pages:
    day = dt.date(2024, 1, 1)
    while day < dt.date(2024, 2, 1):
        answer = yield first.ask(day=day.isoformat())
        day = dt.date.fromisoformat(answer.json()["next_day"])
```

After an interruption it is fed with the answers that were landed, so nothing but these may decide what it
asks for: no clock, no chance.
"""

_EXCERPT_BYTES = 200


def open_custom(resource: str, declared: CustomPages, start: PageRequest) -> Paginator:
    """The paginator of a pipeline's own: a generator of requests, or any object with the methods of one.

    Raises:
        ConfigurationError: The function returned something else.
    """
    made: Any = declared.pages(start)
    if isinstance(made, Generator):
        return GeneratedPages(resource, made, declared)
    wanting = [name for name in ("next_request", "take", "finish", "withdraw") if not hasattr(made, name)]
    if wanting:
        raise ConfigurationError(
            f"{resource}: the paginator {declared.pages.__qualname__} returned {made!r}. Let it yield "
            f"requests, or return a Paginator: {', '.join(wanting)} missing."
        )
    paginator: Paginator = made
    return paginator


class GeneratedPages:
    """The requests that a generator yields, one after another."""

    def __init__(self, resource: str, pages: Pages, declared: CustomPages) -> None:
        self.reads: Reads = {name: HeaderFact(name) for name in declared.headers}
        self.total_pages: int | None = None
        self._who = f"{resource}: the paginator {declared.pages.__qualname__}"
        self._pages = pages
        self._next = next(pages, None)
        self._requested = 0

    def next_request(self) -> PageRequest | None:
        """The request that was yielded last, once."""
        request, self._next = self._next, None
        if request is None:
            return None
        self._requested += 1
        return msgspec.structs.replace(request, number=self._requested)

    def take(self, answer: Answer) -> None:
        """Hand the answer in, and have the next request out.

        Raises:
            FatalError: The function failed.
        """
        if answer.is_missing:
            self._pages.close()
            return
        try:
            self._next = self._pages.send(answer)
        except StopIteration:
            self._next = None
        except PipelineError:
            raise
        except Exception as exc:
            page = answer.page
            shown = page.body[:_EXCERPT_BYTES].decode("utf-8", "replace")
            raise FatalError(
                f"{self._who} failed on page {page.number} at {page.url}: {type(exc).__name__}: {exc}. "
                f"The page begins with {shown!a}"
            ) from exc

    def withdraw(self) -> bool:
        """Nothing is asked for before it is known."""
        return False

    def finish(self, received: int) -> None:
        """What was announced, the function knows."""

    def state(self) -> Mapping[str, Any]:
        """None that could be written down."""
        return {}
