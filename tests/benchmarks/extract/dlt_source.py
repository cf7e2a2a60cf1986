"""dlt's REST source against the dialect server; run by the peers' Python: URL DIALECT FOLDER."""

import json
import os
import sys
import time
from typing import Any

DECLARED: dict[str, dict[str, Any]] = {
    "world_bank": {
        "data_selector": "$[1]",
        "paginator": {"type": "page_number", "base_page": 1, "total_path": "$[0].pages"},
        "params": {"per_page": 100},
    },
    "socrata": {
        "paginator": {
            "type": "offset",
            "limit": 100,
            "offset_param": "$offset",
            "limit_param": "$limit",
            "total_path": None,
        },
    },
    "slack": {
        "data_selector": "members",
        "paginator": {
            "type": "cursor",
            "cursor_path": "response_metadata.next_cursor",
            "cursor_param": "cursor",
        },
        "params": {"limit": 100},
    },
    "github": {"paginator": {"type": "header_link"}, "params": {"per_page": 100}},
}


def main() -> None:
    """Extract, normalise and write one dialect; print rows and seconds."""
    url, dialect, folder = sys.argv[1:]
    os.environ.update(
        RUNTIME__DLTHUB_TELEMETRY="false", DESTINATION__FILESYSTEM__BUCKET_URL=f"file://{folder}/out"
    )
    import dlt  # noqa: PLC0415
    from dlt.sources.rest_api import rest_api_source  # noqa: PLC0415

    source = rest_api_source(
        {
            "client": {"base_url": url},
            "resources": [{"name": "items", "endpoint": {"path": dialect, **DECLARED[dialect]}}],
        }
    )
    pipeline = dlt.pipeline(
        "latency", destination="filesystem", dataset_name="items", pipelines_dir=f"{folder}/state"
    )
    began = time.perf_counter()
    pipeline.run(source, loader_file_format="parquet")
    seconds = time.perf_counter() - began
    rows = pipeline.last_trace.last_normalize_info.row_counts["items"]
    print(json.dumps({"seconds": seconds, "rows": rows}))


if __name__ == "__main__":
    main()
