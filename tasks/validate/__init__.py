"""Validate: the gate that sorts rows into clean and quarantined and lets a batch pass or not."""
