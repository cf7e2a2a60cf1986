"""Learned schemas: kept with the publication, handed to the next load, and never two at once."""

import msgspec
import polars as pl
import pytest

from tasks.errors import FatalError
from tasks.handover import Load
from tasks.load.connection import open_connection
from tasks.load.schemas import read_schemas
from tasks.schema import Kind, LearnedSchema
from tests.integration.tasks.load.builders import Shop, Staged

ROWS = pl.DataFrame({"id": [1]})
# JSONB would sort these keys.
FIRST = Kind("object", fields={"zebra": Kind("numeric", scale=12), "id": Kind("integer")})
SECOND = Kind("object", fields={**FIRST.fields, "at": Kind("list", item=Kind("time"))})


def stage_learned(shop: Shop, learned: Kind | None, load: Load | None = None) -> Staged:
    staged = shop.stage(ROWS, load=load)
    extracted = [msgspec.structs.replace(each, learned=learned) for each in staged.extracted]
    return Staged(staged.load, staged.verdicts, extracted)


def begin(shop: Shop) -> Load:
    return msgspec.structs.replace(shop.begin(), schemas=schemas(shop))


def schemas(shop: Shop) -> dict[str, LearnedSchema]:
    with open_connection(shop.dsn) as conn:
        return read_schemas(conn, shop.pipeline.name)


def test_schema_is_kept_with_the_publication_and_grows_by_version(shop: Shop) -> None:
    assert schemas(shop) == {}
    staged = stage_learned(shop, FIRST, begin(shop))
    assert schemas(shop) == {}
    shop.publish(staged)
    assert schemas(shop) == {"items": LearnedSchema(1, FIRST)}
    assert list(schemas(shop)["items"].kind.fields) == ["zebra", "id"]
    shop.publish(stage_learned(shop, None, begin(shop)))
    shop.publish(stage_learned(shop, SECOND, begin(shop)))
    assert schemas(shop) == {"items": LearnedSchema(2, SECOND)}


def test_load_decoded_by_a_schema_that_was_replaced_is_not_published(shop: Shop) -> None:
    mine = begin(shop)
    staged = stage_learned(shop, SECOND, mine)
    with open_connection(shop.dsn) as conn:
        conn.execute(
            "INSERT INTO assay.schemas (pipeline, resource, version, fields, load_id) "
            "VALUES ('shop', 'items', 1, %s, %s)",
            (msgspec.json.encode(FIRST).decode(), mine.load_id),
        )
    with pytest.raises(FatalError, match="another load has replaced since"):
        shop.publish(staged)
    assert schemas(shop) == {"items": LearnedSchema(1, FIRST)}
