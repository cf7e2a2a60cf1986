"""dlt's declarative REST source into Postgres, as it comes or at its best tuning, on the peers' Python."""

import json
import os
import sys
import time
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

TUNING = {
    "EXTRACT__WORKERS": "8",
    "NORMALIZE__WORKERS": "2",
    "LOAD__WORKERS": "4",
    "DATA_WRITER__BUFFER_MAX_ITEMS": "20000",
    "DATA_WRITER__FILE_MAX_ITEMS": "60000",
    "DATA_WRITER__DISABLE_COMPRESSION": "true",
    "NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION": "true",
}


def main() -> None:
    is_tuned = sys.argv[1] == "tuned"
    disposition = sys.argv[2]
    set_environment(TUNING if is_tuned else {})
    import dlt  # noqa: PLC0415  after the environment it reads
    from dlt.sources.rest_api import rest_api_source  # noqa: PLC0415

    started = time.perf_counter()
    dispositions = {
        "merge": {"disposition": "merge", "strategy": "upsert"} if is_tuned else "merge",
        "append": "append",
    }
    source = rest_api_source(
        {
            "client": {
                "base_url": os.environ["BENCH_API"],
                "auth": {"type": "bearer", "token": os.environ["BENCH_TOKEN"]},
                "paginator": {"type": "page_number", "base_page": 1, "total_path": "pages"},
            },
            "resources": [
                {
                    "name": "flights",
                    "primary_key": "id",
                    "write_disposition": dispositions[disposition],
                    "parallelized": is_tuned,
                    "endpoint": {"path": "flights", "params": {"per_page": 1000}, "data_selector": "data"},
                }
            ],
        }
    )
    pipeline = dlt.pipeline(
        "flights",
        destination=dlt.destinations.postgres(credentials(os.environ["BENCH_DSN"])),
        dataset_name="dlt_flights",
        pipelines_dir=os.environ["BENCH_HOME"],
    )
    pipeline.run(source, **({"loader_file_format": "csv"} if is_tuned else {}))
    print(json.dumps({"steady_s": time.perf_counter() - started}))


def set_environment(settings: Mapping[str, str]) -> None:
    """What dlt reads when it is imported."""
    os.environ.update({"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR", **settings})


def credentials(dsn: str) -> dict[str, object]:
    """The DSN taken apart: a host that is a socket's folder passes as a parameter only."""
    url = urlsplit(dsn)
    return {
        "host": url.hostname or "localhost",
        "database": url.path.lstrip("/"),
        "username": url.username or "postgres",
        "password": url.password or "unused",
        "query": {name: values[0] for name, values in parse_qs(url.query).items()},
    }


if __name__ == "__main__":
    main()
