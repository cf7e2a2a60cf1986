"""Who takes part: each module has `load(path)` and `validate(data, checks)`."""
