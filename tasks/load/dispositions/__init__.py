"""Dispositions: the ways in which staged rows change their table. One shape, a module each."""
