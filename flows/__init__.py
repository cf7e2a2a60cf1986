"""The flows, the `assay` command, and what the steps' ports are wired to."""
