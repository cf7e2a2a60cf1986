"""Where data comes from: the API's address, how to enter, how hard it may be pressed."""

from typing import Literal

from pydantic import Field

from tasks.pipeline.auth import Auth
from tasks.pipeline.declaring import Declaration
from tasks.pipeline.records import BodyError


class RateLimit(Declaration):
    """At most so many requests in so many seconds, shared by all connections of the source."""

    requests: int = Field(gt=0)
    per_s: float = Field(default=1.0, gt=0)


class RestApi(Declaration):
    """A source: the API's address, how to enter, how hard it may be pressed.

    Attributes:
        headers: Sent with every request, and no secret: an API's version, the form wanted.
        connections: Requests under way at once.
        connect_timeout_s: How long a connection may take.
        timeout_s: How long the API may stay silent in the middle of an answer.
        deadline_s: How long one page may take, with all tries and the pauses that the API asks for.
        attempts: Tries of one page, with exponential back-off and jitter between them. What the API refuses
            because too much was asked does not count: it is asked again when the API says, or is due.
        error: Where a success may report an error.
        other_origins: What a redirect or next link to another scheme, host or port does: `refuse` fails,
            `anonymous` follows without credentials.
    """

    base_url: str
    auth: Auth | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    rate_limit: RateLimit | None = None
    connections: int = Field(default=4, gt=0)
    connect_timeout_s: float = Field(default=5.0, gt=0)
    timeout_s: float = Field(default=30.0, gt=0)
    deadline_s: float = Field(default=900.0, gt=0)
    attempts: int = Field(default=6, gt=0)
    error: BodyError | None = None
    other_origins: Literal["refuse", "anonymous"] = "refuse"
