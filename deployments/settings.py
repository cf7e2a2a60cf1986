"""Where alerts go, from the environment; the addresses are secrets."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from tasks.errors import ConfigurationError


def _refuse_other_than_http(url: SecretStr) -> SecretStr:
    parts = urlsplit(url.get_secret_value())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("is not an http or https address")
    return url


WebhookUrl = Annotated[SecretStr, AfterValidator(_refuse_other_than_http)]


class AlertSettings(BaseSettings):
    """The receivers of alerts; every field is `ASSAY_<NAME>` in the environment, empty is unset.

    Attributes:
        alert_slack_url: An incoming webhook of Slack, or of what speaks like it (Mattermost, Rocket.Chat):
            receives `{"text": …}`.
        alert_webhook_url: Any address that takes a JSON object by POST: receives all fields.
    """

    model_config = SettingsConfigDict(
        env_prefix="ASSAY_", env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    alert_slack_url: WebhookUrl | None = None
    alert_webhook_url: WebhookUrl | None = None


def read_alert_settings() -> AlertSettings:
    """Settings from the environment, checked.

    Raises:
        ConfigurationError: A variable does not hold an address; the message does not repeat it.
    """
    try:
        return AlertSettings()
    except ValidationError as exc:
        wrong = "; ".join(
            f"ASSAY_{str(e['loc'][0]).upper()}: {e['msg'].removeprefix('Value error, ')}"
            for e in exc.errors()
        )
        raise ConfigurationError(f"Alerts: {wrong}. Set it to the whole address of the webhook.") from None
