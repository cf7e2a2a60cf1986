"""Where data comes from: the API's address, how to enter, how hard it may be pressed."""

from pydantic import Field

from tasks.pipeline.declaring import Declaration


class Bearer(Declaration):
    """`Authorization: Bearer …` with a token that is named here and written nowhere.

    The token is `ASSAY_SECRET_<NAME>` in the environment (upper case, `-` as `_`), else the Prefect Secret
    block of that name. It is sent to the origin of `RestApi.base_url` only.
    """

    secret: str


class RateLimit(Declaration):
    """At most so many requests in so many seconds, shared by all connections of the source."""

    requests: int = Field(gt=0)
    per_s: float = Field(default=1.0, gt=0)


class RestApi(Declaration):
    """A source: the API's address, how to enter, how hard it may be pressed.

    Time-outs are in seconds; `attempts` counts tries of one page, with exponential back-off and jitter
    between them and `Retry-After` obeyed.
    """

    base_url: str
    auth: Bearer | None = None
    rate_limit: RateLimit | None = None
    connections: int = Field(default=4, gt=0)
    connect_timeout_s: float = Field(default=5.0, gt=0)
    timeout_s: float = Field(default=30.0, gt=0)
    attempts: int = Field(default=6, gt=0)
