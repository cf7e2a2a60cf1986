"""The steps of an ingest, one package each, and the vocabulary they share."""

from tasks.allocator import keep_freed_memory

keep_freed_memory()
