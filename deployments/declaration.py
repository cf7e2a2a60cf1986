"""`automations.yaml` as models: an unknown key is an error here, where Prefect would ignore it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import yaml
from prefect.events import EventTrigger
from prefect.events.actions import ActionTypes, SendNotification
from prefect.events.schemas.automations import AutomationCore
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from deployments.settings import AlertSettings
from tasks.errors import ConfigurationError

AUTOMATIONS: Final = Path(__file__).with_name("automations.yaml")


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Receiver(_Closed):
    """Where alerts go: the block that keeps the address, and the message as a Jinja template of JSON."""

    block: str
    message: str


class Declared(_Closed):
    """An automation as declared; without `actions` it tells all receivers."""

    name: str
    description: str
    trigger: EventTrigger
    actions: list[ActionTypes] | None = None

    @field_validator("trigger", mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, trigger: object) -> object:
        unknown = set(trigger) - set(EventTrigger.model_fields) if isinstance(trigger, dict) else set()
        if unknown:
            raise ValueError(f"unknown keys in the trigger: {', '.join(sorted(unknown))}")
        return trigger

    def resolve(self, messages: Mapping[UUID, str]) -> AutomationCore | None:
        """The automation as Prefect takes it, or None when it has nobody to tell.

        Args:
            messages: Id of each receiver's block → its message.
        """
        alerts: list[ActionTypes] = [
            SendNotification(block_document_id=block, subject=self.name, body=message)
            for block, message in messages.items()
        ]
        actions = alerts if self.actions is None else self.actions
        if not actions:
            return None
        return AutomationCore(
            name=self.name,
            description=self.description,
            tags=["assay"],
            trigger=self.trigger,
            actions=actions,
        )


class Declaration(_Closed):
    """The whole file. `receivers` are keyed by the field of `AlertSettings` that holds their address."""

    receivers: dict[str, Receiver]
    automations: list[Declared]

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> "Declaration":
        unknown = set(self.receivers) - set(AlertSettings.model_fields)
        if unknown:
            raise ValueError(f"receivers without a setting: {', '.join(sorted(unknown))}")
        names = [automation.name for automation in self.automations]
        if len(set(names)) < len(names):
            raise ValueError("two automations have the same name")
        return self


def read_declaration(path: Path = AUTOMATIONS) -> Declaration:
    """The automations and the receivers of alerts.

    Raises:
        ConfigurationError: The file is not what this module's models say.
    """
    loaded: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        return Declaration.model_validate(loaded)
    except ValidationError as exc:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in exc.errors())
        raise ConfigurationError(f"{path.name}: {wrong}") from exc
