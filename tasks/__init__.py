"""The steps of an ingest, one package each, and the vocabulary they share."""
