"""What is deleted when nobody needs it any more: typed files at once, raw responses after their time."""

import contextlib
import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tasks.errors import PipelineError
from tasks.extract.landing.addresses import join
from tasks.extract.landing.folders import open_folder
from tasks.handover import Load, Status
from tasks.load.connection import Connection, open_connection
from tasks.load.load import JUDGED, Target
from tasks.load.retention import Keep, find_expired
from tasks.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pruned:
    """A load whose raw responses are deleted, or would be."""

    load_id: str
    address: str
    size: int


def tidy_work(load: Load, status: Status) -> None:
    """Drop the typed files that nobody needs any more; a blocked attempt's, a person may yet accept."""
    own = Path(load.work)
    for folder in list(own.parent.iterdir()):
        match status:
            case "blocked":
                is_needed = folder == own
            case "failed":
                is_needed = (folder / JUDGED).exists()
            case _:
                is_needed = False
        if not is_needed:
            shutil.rmtree(folder)
    with contextlib.suppress(OSError):
        own.parent.rmdir()  # unless something is needed


def tidy_landing(settings: Settings, target: Target, pipeline: str) -> None:
    """Delete the pipeline's raw responses that have outlived what the settings say, if they do.

    Call it while holding the pipeline. The load is over, whatever happens here.
    """
    keep = Keep(settings.landing_keep_days, settings.landing_keep_loads)
    if keep.is_everything:
        return
    try:
        with open_connection(target.dsn) as conn:
            pruned = list(prune(settings, conn, pipeline, keep))
    except PipelineError as exc:
        log.warning("%s: what has outlived its time in the landing zone stays for now: %s", pipeline, exc)
        return
    if pruned:
        log.info("%s: raw responses of %d loads deleted, their time is over", pipeline, len(pruned))


def prune(
    settings: Settings, conn: Connection, pipeline: str, keep: Keep, *, dry_run: bool = False
) -> Iterator[Pruned]:
    """Delete a pipeline's raw responses beyond what is to be kept, oldest first; call it while holding it.

    Only those of loads that this ledger knows as ended: the landing zone may have other users.
    """
    there = set(open_folder(settings.landing).list_names())
    for load_id in find_expired(conn, pipeline, keep):
        if load_id not in there:
            continue
        folder = open_folder(join(settings.landing, load_id))
        found = Pruned(load_id, folder.where, folder.measure())
        if not dry_run:
            folder.delete_all()
        yield found
