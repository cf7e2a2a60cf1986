"""Bring the Prefect server to what this folder declares; applying again changes nothing.

Makes the work pool, the blocks that keep the addresses of alert receivers, and the
automations of automations.yaml. Found by name: what exists is updated where it differs. Deployments are the
business of `prefect deploy --all`, afterwards.
"""

import argparse
import sys
from collections.abc import Iterator
from typing import Any, Final, Literal
from uuid import UUID

import httpx
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import BlockDocument
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.settings import get_current_settings
from prefect.workers.process import ProcessWorker
from pydantic import SecretStr

from deployments.declaration import Declaration, read_declaration
from deployments.settings import AlertSettings, read_alert_settings
from tasks.errors import ConfigurationError, PipelineError, RetriableError

POOL: Final = "assay"
RUNS_AT_ONCE: Final = 4
TIMEOUT_S: Final = 10.0
EPILOG: Final = """\
environment:
  PREFECT_API_URL          the server, when it is not in the Prefect profile
  ASSAY_ALERT_SLACK_URL    incoming webhook of Slack, or of what speaks like it
  ASSAY_ALERT_WEBHOOK_URL  takes alerts as a JSON object by POST
"""

Outcome = Literal["created", "updated", "unchanged", "removed", "skipped"]


def apply(client: SyncPrefectClient, declaration: Declaration, alerts: AlertSettings) -> Iterator[str]:
    """Apply all that is declared, yielding a line for each thing."""
    yield _line("work pool", POOL, *upsert_pool(client))
    messages: dict[UUID, str] = {}
    for field, receiver in declaration.receivers.items():
        block_id, outcome, note = upsert_block(client, receiver.block, field, getattr(alerts, field))
        yield _line("block", receiver.block, outcome, note)
        if block_id:
            messages[block_id] = receiver.message
    for declared in declaration.automations:
        wanted = declared.resolve(messages)
        if wanted is None:
            yield _line("automation", declared.name, "skipped", "nobody to tell")
        else:
            yield from upsert_automation(client, wanted)


def upsert_pool(client: SyncPrefectClient) -> tuple[Outcome, str]:
    """Create the work pool. One that exists is kept as it is: its type and settings are the operator's.

    Its limit on runs at once bounds the connections to the target, however many pipelines are due.
    """
    try:
        pool = client.read_work_pool(POOL)
    except ObjectNotFound:
        pool = client.create_work_pool(
            WorkPoolCreate(
                name=POOL,
                type=ProcessWorker.type,
                base_job_template=ProcessWorker.get_default_base_job_template(),
                concurrency_limit=RUNS_AT_ONCE,
            )
        )
        outcome: Outcome = "created"
    else:
        outcome = "unchanged"
    return outcome, f"type {pool.type}, {pool.concurrency_limit or 'any number of'} runs at once"


def upsert_block(
    client: SyncPrefectClient, name: str, field: str, url: SecretStr | None
) -> tuple[UUID | None, Outcome, str]:
    """Keep a receiver's address in a block, as a secret; without an address, use the block that is there.

    `Webhook`, the other block for this, loses alerts: of two calls at once the first to end closes the
    connection pool under the second (Prefect 3.8.8, `blocks/webhook.py`). It also takes an answer 500 for
    a delivery, where this one is sent again, up to three times.
    """
    kept = _read_block(client, name)
    if url is None and kept:
        return kept.id, "unchanged", f"address kept; ASSAY_{field.upper()} is not set"
    if url is None:
        return None, "skipped", f"set ASSAY_{field.upper()} to be alerted there"
    data: dict[str, Any] = {
        "name": name,
        "url": "{{ url }}",
        "secrets": {"url": url.get_secret_value()},
        "headers": {"Content-Type": "application/json"},
        "form_data": "{{ body }}",
        "timeout": TIMEOUT_S,
    }
    if kept and {key: kept.data.get(key) for key in data} == data:
        return kept.id, "unchanged", ""
    saved = CustomWebhookNotificationBlock(**data).save(name, overwrite=True)
    assert isinstance(saved, UUID)  # outside an event loop it is no coroutine
    return saved, "updated" if kept else "created", ""


def upsert_automation(client: SyncPrefectClient, wanted: AutomationCore) -> Iterator[str]:
    """Create or update an automation by its name; one that a person has switched off stays so."""
    found = client.read_automations_by_name(wanted.name)
    if not found:
        client.create_automation(wanted)
        yield _line("automation", wanted.name, "created")
        return
    for double in found[1:]:
        client.delete_automation(double.id)
        yield _line("automation", wanted.name, "removed", f"a double, {double.id}")
    kept = found[0]
    note = "" if kept.enabled else "switched off by a person"
    if _content(kept) == _content(wanted):
        yield _line("automation", wanted.name, "unchanged", note)
        return
    # From a dump: an update leaves out what was not set explicitly, and the server then refuses it.
    dump = wanted.model_dump(exclude={"owner_resource"}) | {"enabled": kept.enabled}
    client.update_automation(kept.id, AutomationCore(**dump))
    yield _line("automation", wanted.name, "updated", note)


def connect() -> SyncPrefectClient:
    """A client of the configured server, after a look whether it answers.

    Raises:
        ConfigurationError: It refuses, or none is configured: Prefect would start a temporary one in silence.
        RetriableError: It does not answer.
    """
    url = get_current_settings().api.url
    if not url:
        raise ConfigurationError(
            "No Prefect server is configured. Start one with `prefect server start`, "
            "then `prefect config set PREFECT_API_URL=http://127.0.0.1:4200/api`."
        )
    client = get_client(sync_client=True)
    try:
        client.hello().raise_for_status()
    except httpx.HTTPStatusError as exc:
        raise ConfigurationError(
            f"The Prefect server at {url} answers {exc.response.status_code}. "
            "Correct PREFECT_API_URL (it ends in /api), or set PREFECT_API_AUTH_STRING or PREFECT_API_KEY."
        ) from exc
    except httpx.HTTPError as exc:
        raise RetriableError(
            f"The Prefect server at {url} does not answer ({type(exc).__name__}). "
            "Start it with `prefect server start`, or correct PREFECT_API_URL."
        ) from exc
    return client


def main() -> int:
    """Apply, printing a line for each thing; 0, or 1 after an error."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args()
    try:
        declaration, alerts = read_declaration(), read_alert_settings()
        for line in apply(connect(), declaration, alerts):
            sys.stdout.write(f"{line}\n")
    except PipelineError as exc:
        return _fail(str(exc))
    except PrefectHTTPStatusError as exc:  # its text repeats the request, and with it an address
        request, status = exc.request, exc.response.status_code
        return _fail(f"The Prefect server answers {status} to {request.method} {request.url}.")
    return 0


def _fail(message: str) -> int:
    sys.stderr.write(f"{message}\n")
    return 1


def _read_block(client: SyncPrefectClient, name: str) -> BlockDocument | None:
    slug = CustomWebhookNotificationBlock.get_block_type_slug()
    try:
        return client.read_block_document_by_name(name, slug, include_secrets=True)
    except ObjectNotFound:
        return None


def _content(automation: AutomationCore) -> dict[str, object]:
    return automation.model_dump(include=set(AutomationCore.model_fields) - {"enabled", "owner_resource"})


def _line(kind: str, name: str, outcome: Outcome, note: str = "") -> str:
    return f"{outcome:<10} {kind:<11} {name}" + (f" ({note})" if note else "")


if __name__ == "__main__":
    sys.exit(main())
