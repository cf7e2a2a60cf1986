"""The flows, the `assay` command, and what the steps' ports are wired to."""

from tasks.allocator import keep_freed_memory

keep_freed_memory()  # before any of them imports Polars
