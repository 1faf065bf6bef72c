"""Alembic's entry: the connection comes from `medai.datalens.schema`, never from a file."""

from alembic import context
from sqlalchemy import text

from medai.datalens.tables import METADATA

# The version table stays out of `public`, where DataLens would list it among the data.
_VERSION_SCHEMA = "infra"

connection = context.config.attributes["connection"]
connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {_VERSION_SCHEMA}"))
context.configure(
    connection=connection,
    target_metadata=METADATA,
    version_table="datalens_version",
    version_table_schema=_VERSION_SCHEMA,
    include_schemas=False,
)
with context.begin_transaction():
    context.run_migrations()
