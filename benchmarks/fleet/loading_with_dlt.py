"""Documents of calls from one database into another with dlt, as a program for dlt's own Python.

Arguments: the address of the documents' database, that of an empty one, a folder for dlt's files.
Prints the seconds that extraction, normalisation and load took together.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

_BATCH = 1_000


def main(source: str, target: str, folder: str) -> None:
    """Load all calls once, nested lists and objects as dlt unfolds them."""
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"
    import dlt  # type: ignore[import-not-found, unused-ignore]
    import psycopg2  # type: ignore[import-untyped, import-not-found, unused-ignore]

    def calls() -> Iterator[list[dict[str, Any]]]:
        with psycopg2.connect(source) as connection, connection.cursor("calls") as cursor:
            cursor.itersize = _BATCH
            cursor.execute("SELECT doc::text FROM documents.calls")
            while rows := cursor.fetchmany(_BATCH):
                yield [json.loads(row[0]) for row in rows]

    pipeline = dlt.pipeline(
        "bench", destination=dlt.destinations.postgres(target), dataset_name="bench",
        pipelines_dir=folder,
    )  # fmt: skip
    began = time.perf_counter()
    pipeline.run(calls(), table_name="calls", write_disposition="replace")
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main(*sys.argv[1:])
