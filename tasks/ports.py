"""Ports: what a step needs from the world, passed in. `flows/wiring.py` has their real ends."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import polars as pl

from tasks.handover import Event, Transformed

Secrets = Callable[[str], str]
"""Name of a secret → its value. Raises ConfigurationError when it is nowhere."""

Emit = Callable[[Event], None]
"""Sends an event to whoever listens."""


PostArtifact = Callable[[str, str], None]
"""Shows a page of markdown beside the run, under a key that its later versions share."""


class Store(Protocol):
    """A place for report files: a folder, or a bucket."""

    def put(self, path: str, body: bytes, content_type: str) -> None:
        """Write one file whole, under a relative path with forward slashes."""

    def url(self, path: str) -> str:
        """Where people open the file of this relative path."""


class Helper(Protocol):
    """Runs functions that need Great Expectations, whose import takes seconds, in another process."""

    def call(self, function: str, /, **arguments: Any) -> Any:
        """Call `package.module:function` with JSON-able arguments and return its JSON-able result."""


class Stream(Protocol):
    """Takes a resource's decoded records on to their tables while more of them are coming."""

    keeps_frames: bool
    """Whether the records are to be written as they are, too."""

    def begin(self) -> None:
        """Records come, from the first one on; what came before counts for nothing."""

    def write(self, frame: pl.DataFrame) -> None:
        """Take the next of them."""

    def check(self) -> None:
        """Raise what has gone wrong by now with any of them."""

    def finish(self) -> tuple[Transformed, ...]:
        """The tables, when all have been taken."""

    def close(self) -> None:
        """End it, finished or not."""


@dataclass(frozen=True)
class Audience:
    """Everyone who is told of an attempt: report pages, the run's artifact, events."""

    store: Store
    post_artifact: PostArtifact
    emit: Emit
