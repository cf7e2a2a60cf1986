"""Commands about pipelines and their loads: look, and decide."""

from flows.cli.app import app, out, print_last, show_progress


@app.command(name="list")
def list_pipelines() -> None:
    """List the pipelines, their tables and where they read from."""
    from flows.catalog import find_pipeline, pipeline_names  # noqa: PLC0415  commands import what they need

    for name in pipeline_names():
        pipeline = find_pipeline(name)
        out.print(f"[bold]{name}[/]  {pipeline.description}")
        out.print(f"  from {pipeline.source.base_url} into {', '.join(t.name for t in pipeline.tables)}")


@app.command
def status(pipeline: str | None = None, *, last: int = 10) -> None:
    """Show the latest loads, newest first, and why the last one went wrong if it did.

    Args:
        pipeline: Only this pipeline.
        last: How many.
    """
    from flows.catalog import find_pipeline  # noqa: PLC0415
    from flows.status import read_status  # noqa: PLC0415
    from flows.summary import print_lines  # noqa: PLC0415

    lines = read_status(find_pipeline(pipeline).name if pipeline else None, last)
    if lines:
        print_lines(out, lines)
    else:
        out.print(
            "Nothing was loaded yet. `assay demo` shows how it goes; `assay list` what there is to run."
        )


@app.command
def accept(load: str, *, reason: str) -> None:
    """Publish a blocked load as it is, by your decision, which is recorded with your name.

    Args:
        load: The load's id, as `assay status` shows it.
        reason: Why it is right to publish it.
    """
    from flows.catalog import find_pipeline  # noqa: PLC0415
    from flows.run import accept as accept_load  # noqa: PLC0415
    from flows.wiring import person_ports  # noqa: PLC0415

    show_progress()
    report = accept_load(find_pipeline, load, reason, person_ports())
    print_last(report.pipeline)
