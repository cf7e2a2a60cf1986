"""The flows, the `assay` command, and what the steps' ports are wired to."""

import tasks  # noqa: F401  first of all, since it sets the allocator of Polars
