"""The environment that `medai db run` gives to other programs."""

from pathlib import Path

from medai.cli.store_tools import store_environment
from medai.settings import Settings


def test_programs_get_the_address_and_nothing_of_another_server(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, medai_data_dir=tmp_path, mongodb_uri="mongodb://m")
    dsn = "postgresql://us%40er:p%2Fw@db.example:5433/metrics?sslmode=verify-full"
    around = {"PATH": "/usr/bin", "PGSERVICE": "other", "PGPASSWORD": "other", "HOME": "/root"}
    found = store_environment(settings, dsn, around)
    assert {name: text for name, text in found.items() if name.startswith("PG")} == {
        "PGHOST": "db.example", "PGPORT": "5433", "PGUSER": "us@er", "PGPASSWORD": "p/w",
        "PGDATABASE": "metrics", "PGSSLMODE": "verify-full",
    }  # fmt: skip
    assert found["PATH"].endswith(":/usr/bin")
    assert (found["HOME"], found["MEDAI_DATA_DIR"], found["MEDAI_DOCUMENTS"]) == (
        "/root", str(tmp_path), "mongodb"
    )  # fmt: skip
    assert (Path(found["PATH"].split(":")[0]) / "pg_dump").exists()
