"""Paginators: which pages there are to ask for, learned from those that came. One small module a dialect."""
