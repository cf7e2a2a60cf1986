"""Commands that judge data without loading it."""

import sys
from pathlib import Path

from flows.cli.app import app, out


@app.command
def check(file: Path, *, suite: str, json: bool = False) -> int:
    """Validate a Parquet, CSV or NDJSON file against a suite; exits 1 when an expectation fails.

    Args:
        file: The file.
        suite: Name of a suite in expectations/suites, or a suite's own .json file.
        json: Print the whole result as JSON, for machines.
    """
    import msgspec  # noqa: PLC0415  commands import what they need

    import expectations.engine  # noqa: F401, PLC0415  first: it imports GX in less time than GX does
    from flows.summary import print_outcomes  # noqa: PLC0415
    from tasks.validate.check import check_file  # noqa: PLC0415

    checked = check_file(file, suite)
    if json:
        sys.stdout.write(msgspec.json.encode(checked).decode() + "\n")
    else:
        print_outcomes(out, checked.outcomes)
        verdict = "[green]passed[/]" if checked.success else "[red]failed[/]"
        skipped = f", {checked.skipped} about merged tables skipped" if checked.skipped else ""
        out.print(f"{checked.rows:,} rows, suite {checked.suite}: {verdict}{skipped}")
    return 0 if checked.success else 1
