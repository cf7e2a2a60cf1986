"""dlt at its best with an API that is far away: pages asked for by hand, eight at a time, on its own threads.

Its REST source asks for one page after the other; this resource defers each page to a thread of dlt's pool.
Otherwise tuned as `dlt_rest.py tuned`.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

from dlt_rest import TUNING, credentials, set_environment


def main() -> None:
    set_environment(TUNING | {"EXTRACT__MAX_PARALLEL_ITEMS": "16"})
    import dlt  # noqa: PLC0415  after the environment it reads
    import requests  # noqa: PLC0415

    started = time.perf_counter()
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {os.environ['BENCH_TOKEN']}"
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=8))

    def get(number: int) -> Any:
        params = {"page": str(number), "per_page": "1000"}
        response = session.get(f"{os.environ['BENCH_API']}/flights", params=params, timeout=30)
        response.raise_for_status()
        return response.json()

    @dlt.defer  # type: ignore[untyped-decorator]  # not installed here
    def get_rows(number: int) -> Any:
        return get(number)["data"]

    @dlt.resource(  # type: ignore[untyped-decorator]  # not installed here
        name="flights",
        primary_key="id",
        write_disposition={"disposition": "merge", "strategy": "upsert"},
        parallelized=False,
    )
    def flights() -> Iterator[Callable[[], Any]]:
        first = get(1)
        yield first["data"]
        for number in range(2, first["pages"] + 1):
            yield get_rows(number)

    pipeline = dlt.pipeline(
        "flights",
        destination=dlt.destinations.postgres(credentials(os.environ["BENCH_DSN"])),
        dataset_name="dlt_flights",
        pipelines_dir=os.environ["BENCH_HOME"],
    )
    pipeline.run(flights(), loader_file_format="csv")
    print(json.dumps({"steady_s": time.perf_counter() - started}))


if __name__ == "__main__":
    main()
