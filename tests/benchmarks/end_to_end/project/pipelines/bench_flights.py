"""The flights of nyc_flights alone, with their suite, quarantine and landing zone."""

from flows.pipelines.nyc_flights import pipeline as whole

pipeline = whole.model_copy(
    update={
        "name": "bench_flights",
        "resources": (whole.resource("flights"),),
        "tables": (whole.table("flights"),),
        "reports": (),
    }
)
