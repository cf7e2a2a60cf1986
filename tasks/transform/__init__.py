"""Transform: the pipeline's own Polars function from resources to tables."""
