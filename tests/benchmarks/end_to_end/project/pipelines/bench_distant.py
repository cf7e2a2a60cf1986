"""The flights of nyc_flights from an API that is far away, over eight connections."""

from flows.pipelines.bench_flights import pipeline as near  # type: ignore[import-untyped]  # once copied

pipeline = near.model_copy(
    update={"name": "bench_distant", "source": near.source.model_copy(update={"connections": 8})}
)
