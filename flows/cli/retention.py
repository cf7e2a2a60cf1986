"""The command that deletes what has outlived its time."""

from flows.cli.app import app, err, out


@app.command
def prune(
    pipeline: str | None = None,
    *,
    keep_days: float | None = None,
    keep_loads: int | None = None,
    dry_run: bool = False,
) -> None:
    """Delete raw responses of loads that are over, beyond what is to be kept; they cannot be replayed then.

    Never those of a load that is still open or blocked. What one of the two limits keeps is kept.

    Args:
        pipeline: Only this pipeline's.
        keep_days: Delete what is older than this; ASSAY_LANDING_KEEP_DAYS when not given.
        keep_loads: Keep this many published loads of each pipeline; ASSAY_LANDING_KEEP_LOADS when not given.
        dry_run: Only say what would be deleted.
    """
    from flows.pruning import prune_all  # noqa: PLC0415  commands import what they need

    count, size, busy = 0, 0, []
    for found in prune_all(pipeline, keep_days=keep_days, keep_loads=keep_loads, dry_run=dry_run):
        if isinstance(found, str):
            busy.append(found)
            continue
        count, size = count + 1, size + found.size
        out.print(f"{found.load_id}  {found.size / 1e6:,.1f} MB")
    out.print(f"{count:,} loads, {size / 1e6:,.1f} MB {'would be deleted' if dry_run else 'deleted'}")
    for name in busy:
        err.print(f"{name} is being run; its loads are left for another time.")
