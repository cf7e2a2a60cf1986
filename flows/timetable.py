"""Where the time of an attempt went, as the command line shows it."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from tasks.timings import Span


def print_timings(console: Console, spans: Sequence[Span]) -> None:
    """A line a step: when it began, how long it took, and what its parts took, the longest first.

    Parts may have run at the same time, and need not be all of a step.
    """
    table = Table(box=None, pad_edge=False)
    table.add_column("step", no_wrap=True)
    for name in ("from s", "to s", "took s"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("of which", overflow="fold")
    for span in spans:
        table.add_row(
            " ".join(filter(None, (span.step, span.subject))),
            f"{span.started_s:.2f}",
            f"{span.started_s + span.took_s:.2f}",
            f"{span.took_s:.2f}",
            ", ".join(
                f"{name} {seconds:.2f}"
                for name, seconds in sorted(span.parts.items(), key=lambda part: -part[1])
            ),
        )
    console.print()
    console.print(table)
