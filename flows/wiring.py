"""The ports' real ends: the world with Prefect, and the world without."""

import logging
from dataclasses import replace
from functools import cache
from typing import cast

from flows.ports import Ports
from flows.storage import open_store
from tasks.errors import ConfigurationError
from tasks.handover import Event
from tasks.ports import Audience
from tasks.settings import read_settings, secret_from_environment, secret_variable

log = logging.getLogger(__name__)


def plain_ports() -> Ports:
    """The world without Prefect: secrets from the environment, no artifact, events to the log only."""
    settings = read_settings()
    audience = Audience(
        store=open_store(settings), post_artifact=lambda _key, _markdown: None, emit=_log_event
    )
    return Ports(settings=settings, secrets=_secret_without_prefect, audience=audience)


def person_ports() -> Ports:
    """The world of a person's command outside a run: events go to a Prefect server, if one is configured."""
    from prefect.settings import get_current_settings  # noqa: PLC0415  Prefect's import takes a second

    ports = plain_ports()
    if get_current_settings().api.url is None:
        return ports
    return replace(ports, audience=replace(ports.audience, emit=_emit_event))


def prefect_ports() -> Ports:
    """The world inside a flow run: secrets also from blocks, artifacts, events, the publish task."""
    from prefect.runtime import flow_run  # noqa: PLC0415  Prefect's import takes a second

    from tasks.publish.task import publish  # noqa: PLC0415

    _send_logs_to_prefect()
    settings = read_settings()
    audience = Audience(store=open_store(settings), post_artifact=_post_artifact, emit=_emit_event)
    return Ports(
        settings=settings,
        secrets=_secret_from_prefect,
        audience=audience,
        run_url=flow_run.ui_url,
        pool_type=_read_pool_type(),
        publish=publish,
    )


def _read_pool_type() -> str | None:
    """Type of the work pool whose worker runs this flow, None without one."""
    from prefect.client.orchestration import get_client  # noqa: PLC0415
    from prefect.context import FlowRunContext  # noqa: PLC0415

    context = FlowRunContext.get()
    pool = context.flow_run.work_pool_name if context and context.flow_run else None
    if pool is None:
        return None
    with get_client(sync_client=True) as client:
        return client.read_work_pool(pool).type


def _secret_without_prefect(name: str) -> str:
    value = secret_from_environment(name)
    if value is None:
        raise ConfigurationError(
            f"The secret {name!r} is not set. Set {secret_variable(name)} in the environment. "
            "(A Prefect Secret block of that name is read by runs under Prefect only.)"
        )
    return value


def _secret_from_prefect(name: str) -> str:
    value = secret_from_environment(name)
    if value is not None:
        return value
    from prefect.blocks.system import Secret  # noqa: PLC0415

    try:
        block = cast("Secret[str]", Secret.load(name))
    except ValueError:
        raise ConfigurationError(
            f"The secret {name!r} is not set. Set {secret_variable(name)} in the environment of the run, "
            f"or make a Prefect Secret block named {name!r}."
        ) from None
    return str(block.get())


def _post_artifact(key: str, markdown: str) -> None:
    from prefect.artifacts import create_markdown_artifact  # noqa: PLC0415

    create_markdown_artifact(markdown, key=key, description="The last load, table by table.")


def _emit_event(event: Event) -> None:
    from prefect.events import emit_event  # noqa: PLC0415

    resource = {"prefect.resource.id": event.resource_id, **event.labels}
    emit_event(event=event.name, resource=resource, payload=event.payload)


def _log_event(event: Event) -> None:
    log.debug("%s: %s", event.name, event.payload.get("text", ""))


@cache
def _send_logs_to_prefect() -> None:
    """Show the steps' own log lines beside their task runs; they log by the standard library alone."""
    from prefect.context import FlowRunContext, TaskRunContext  # noqa: PLC0415
    from prefect.logging.handlers import APILogHandler  # noqa: PLC0415

    handler = APILogHandler()
    # What is logged outside of a run belongs to none, and Prefect would warn of it.
    handler.addFilter(lambda _record: FlowRunContext.get() is not None or TaskRunContext.get() is not None)
    for name in ("tasks", "flows"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
