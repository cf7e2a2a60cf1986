"""Publish: report pages, the overview of all loads, and where they are stored."""
