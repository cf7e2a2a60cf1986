"""Where report files go: a folder of this machine, or a bucket through prefect-aws.

Importing this module loads neither prefect-aws nor boto3, which take a second: `open_store` does, when the
reports go to a bucket.
"""

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import quote, urlsplit

from tasks import s3
from tasks.errors import ConfigurationError, PipelineError
from tasks.ports import Store
from tasks.publish.storage import FolderStore, check_path
from tasks.settings import Settings

if TYPE_CHECKING:
    from prefect_aws import S3Bucket

BLOCK: Final = "s3-bucket/"


def open_store(settings: Settings) -> Store:
    """The store that `ASSAY_REPORTS_URL` names.

    - a folder, or nothing for the one in `ASSAY_HOME`;
    - `s3://bucket/prefix`, entered with what boto3 finds on this machine: environment variables, profile,
      role. `AWS_ENDPOINT_URL` or `AWS_ENDPOINT_URL_S3` names a server that is not Amazon's;
    - `s3-bucket/NAME`, a Prefect block with bucket, folder and credentials.

    Nothing is sent before the first file.

    Raises:
        ConfigurationError: The address cannot be understood, or there is no such block.
    """
    url = settings.reports_url or ""
    if url.startswith("s3://"):
        return S3Store(_bucket_at(url))
    if url.startswith(BLOCK):
        return S3Store(_load_block(url.removeprefix(BLOCK)))
    if "://" in url:
        raise ConfigurationError(
            f"ASSAY_REPORTS_URL: cannot store reports at {urlsplit(url).scheme}:// addresses. "
            f"Use a folder, s3://bucket/prefix, or {BLOCK}NAME for a Prefect block."
        )
    return FolderStore(settings.reports)


class S3Store:
    """Report files in a bucket, one object a file; an object is replaced whole."""

    def __init__(self, bucket: "S3Bucket") -> None:
        self._bucket = bucket
        self._folder = bucket.bucket_folder.strip("/")

    def put(self, path: str, body: bytes, content_type: str) -> None:
        """Write one file whole, under a relative path with forward slashes.

        Not by the block's own upload, which stores every file as `binary/octet-stream`: browsers would
        save the pages instead of showing them.

        Raises:
            ConfigurationError: The path leaves the folder; the bucket is missing, or refuses us.
            RetriableError: The server does not answer, or is busy.
        """
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - see the module

        key = self._key(path)
        try:
            self._client.put_object(
                Bucket=self._bucket.bucket_name, Key=key, Body=body, ContentType=content_type
            )
        except (BotoCoreError, ClientError) as exc:
            raise self._explain(exc) from None

    def url(self, path: str) -> str:
        """The object's address; whether it opens without a sign-in is for the bucket's policy to say."""
        endpoint = urlsplit(self._client.meta.endpoint_url)
        name, key = self._bucket.bucket_name, quote(self._key(path))
        if endpoint.netloc.endswith(".amazonaws.com") and "." not in name:
            return f"https://{name}.{endpoint.netloc}/{key}"
        return f"{endpoint.geturl().rstrip('/')}/{name}/{key}"

    def _key(self, path: str) -> str:
        return f"{self._folder}/{check_path(path)}" if self._folder else check_path(path)

    @cached_property
    def _client(self) -> Any:
        from botocore.config import Config  # noqa: PLC0415 - see the module
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415

        credentials = self._bucket.credentials
        parameters = credentials.aws_client_parameters.get_params_override()
        own = Config(**s3.client_options())
        parameters["config"] = own.merge(parameters["config"]) if "config" in parameters else own
        # The session knows the region; prefect-aws's cached client would miss a changed AWS_ENDPOINT_URL.
        try:
            return credentials.get_boto3_session().client("s3", **parameters)
        except (BotoCoreError, ValueError) as exc:
            raise self._explain(exc) from None

    def _explain(self, exc: Exception) -> PipelineError:
        where = f"Reports at s3://{self._bucket.bucket_name}/{self._folder}"
        return s3.explain(exc, where, setting="ASSAY_REPORTS_URL", rights="s3:PutObject")


def _bucket_at(url: str) -> "S3Bucket":
    from prefect_aws import AwsCredentials, S3Bucket  # noqa: PLC0415 - see the module

    parts = urlsplit(url)
    if not parts.netloc or "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigurationError(
            "ASSAY_REPORTS_URL: an S3 address is s3://bucket/prefix, with nothing else in it."
        )
    return S3Bucket(
        bucket_name=parts.netloc, bucket_folder=parts.path.strip("/"), credentials=AwsCredentials()
    )


def _load_block(name: str) -> "S3Bucket":
    from prefect_aws import S3Bucket  # noqa: PLC0415 - see the module

    try:
        return cast("S3Bucket", S3Bucket.load(name, _sync=True))  # type: ignore[call-arg]  # of its dispatcher
    except ValueError as exc:
        raise ConfigurationError(
            f"ASSAY_REPORTS_URL: there is no Prefect block {BLOCK}{name}. See `prefect block ls`."
        ) from exc
