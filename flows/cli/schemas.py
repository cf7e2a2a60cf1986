"""The command that shows learned schemas, and forgets one."""

from flows.cli.app import app, out


@app.command
def schema(pipeline: str, *, relearn: str | None = None) -> None:
    """Show what was learned of a pipeline's records: the schema by which its loads decode.

    Args:
        pipeline: Name of the pipeline.
        relearn: Forget what was learned of this resource; the next load, or a replay, learns it afresh from
            all of its records. Tables stay as they are: columns that come to be of another kind widen, or
            the load is refused with the statement that resolves it.
    """
    from rich.table import Table  # noqa: PLC0415  commands import what they need
    from rich.text import Text  # noqa: PLC0415

    from flows.catalog import find_pipeline  # noqa: PLC0415
    from flows.learned import read_learned  # noqa: PLC0415
    from flows.learned import relearn as forget  # noqa: PLC0415
    from tasks.schema import list_fields  # noqa: PLC0415

    name = find_pipeline(pipeline).name
    if relearn is not None:
        forget(name, relearn)
        out.print(
            Text(f"{name}: what was learned of {relearn} is forgotten; the next load learns it afresh.")
        )
        return
    learned = read_learned(name)
    if not learned:
        out.print(Text(f"{name}: nothing was learned; its records are declared, or it was never loaded."))
        return
    table = Table("resource", "version", "field", "kind", box=None, pad_edge=False)
    for resource, found in learned.items():
        for path, kind in list_fields(found.kind).items():
            told = str(kind) if kind.is_typed else "no value so far, no column"
            table.add_row(Text(resource), str(found.version), Text(path), told)
    out.print(table)
