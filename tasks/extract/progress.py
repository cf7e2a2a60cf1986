"""Progress of an extraction: counts, and a line in the log every few seconds."""

import logging
import time

from tasks.extract.pages import Answer

_log = logging.getLogger(__name__)

EVERY_S = 5.0


class Progress:
    """Counts pages and bytes of one resource."""

    def __init__(self, resource: str) -> None:
        self.pages = 0
        self.bytes = 0
        self.resumed_pages = 0
        self._resource = resource
        self._logged_at = time.monotonic()

    def count(self, answer: Answer) -> None:
        """Take note of a page."""
        self.pages += 1
        self.bytes += len(answer.page.body)

    def log(self, total_pages: int | None, records: int) -> None:
        """Log where the extraction stands, if it is time."""
        if time.monotonic() - self._logged_at < EVERY_S:
            return
        self._logged_at = time.monotonic()
        of = f" of {total_pages}" if total_pages else ""
        _log.info(
            "%s: %d%s pages, %s records, %.1f MB",
            self._resource,
            self.pages,
            of,
            f"{records:,}",
            self.bytes / 1e6,
        )
