"""How to enter an API. Secrets are named here and written nowhere.

A secret is `ASSAY_SECRET_<NAME>` in the environment (upper case, `-` as `_`), else the Prefect Secret block
of that name. It is sent to the origin of `RestApi.base_url` only, `OAuth2`'s to that of `token_url`.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Literal, Self

from msgspec import Struct
from pydantic import Field, PlainSerializer, model_validator

from tasks.pipeline.declaring import Declaration
from tasks.pipeline.records import describe_function


class Bearer(Declaration):
    """`Authorization: Bearer …`; with `optional`, requests go without when the secret is not set."""

    secret: str
    optional: bool = False


class Basic(Declaration):
    """`Authorization: Basic …` (RFC 7617): a user name, or a secret in its place, and a secret password.

    APIs that take a key as the user name want `Basic(username_secret="shop-key")`.
    """

    username: str = ""
    username_secret: str | None = None
    secret: str | None = None

    @model_validator(mode="after")
    def _has_a_secret(self) -> Self:
        if self.secret is None and self.username_secret is None:
            raise ValueError("name the secret: secret= for the password, username_secret= for the user name")
        if self.username and self.username_secret is not None:
            raise ValueError("username and username_secret exclude each other")
        return self


class ApiKey(Declaration):
    """A key in a header or a query parameter of this name; `prefix` stands before it (`Token `)."""

    name: str
    secret: str
    place: Literal["header", "query"] = "header"
    prefix: str = ""


class SecretHeaders(Declaration):
    """Several headers, each with a secret of its own: header → name of the secret."""

    secrets: dict[str, str] = Field(min_length=1)


class OAuth2(Declaration):
    """A token from `token_url` (RFC 6749), renewed before it expires, and when the API refuses it.

    With the client's own credentials, or, where `refresh_secret` is declared, by a refresh token. It must be
    one that does not rotate: a new one is used to the end of the run, with a warning, and not kept. All
    connections share a token and its renewal. `params` are further fields of the token request, such as
    `audience`. `client_auth` is how the client shows who it is: by HTTP Basic, or in the form.
    """

    token_url: str
    client_id: str
    client_secret: str | None = None
    refresh_secret: str | None = None
    scope: str | None = None
    params: dict[str, str] = Field(default_factory=dict)
    client_auth: Literal["basic", "form"] = "basic"

    @model_validator(mode="after")
    def _has_a_secret(self) -> Self:
        if self.client_secret is None and self.refresh_secret is None:
            raise ValueError("name a secret: client_secret= of the client, or refresh_secret= of a person")
        return self


class Unsigned(Struct, frozen=True):
    """A request as it will be sent, to be signed."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


class Signature(Struct, frozen=True):
    """What a signature adds to a request."""

    headers: Mapping[str, str] = {}
    params: Mapping[str, str] = {}


Sign = Annotated[Callable[[Unsigned, Mapping[str, str]], Signature], PlainSerializer(describe_function)]


class Signed(Declaration):
    """Each request is signed by a function of the pipeline's own.

    `sign(request, secrets)` gets the values of `secrets` by name and returns headers and query parameters to
    add. It is called for every try, by several threads at once.
    """

    sign: Sign
    secrets: tuple[str, ...] = Field(min_length=1)


Auth = Bearer | Basic | ApiKey | SecretHeaders | OAuth2 | Signed


def secret_names(auth: Auth | None) -> tuple[str, ...]:
    """Names of all secrets that an API needs."""
    match auth:
        case None:
            names: tuple[str | None, ...] = ()
        case Basic():
            names = (auth.username_secret, auth.secret)
        case OAuth2():
            names = (auth.client_secret, auth.refresh_secret)
        case SecretHeaders():
            names = tuple(auth.secrets.values())
        case Signed():
            names = auth.secrets
        case Bearer() | ApiKey():
            names = (auth.secret,)
    return tuple(name for name in names if name is not None)
