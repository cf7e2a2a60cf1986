"""Where the records are in a body, and what makes rows of them when they are not a list of objects."""

from collections.abc import Callable, Iterable
from typing import Annotated, Any

from pydantic import Field, PlainSerializer

from tasks.pipeline.declaring import Declaration
from tasks.pipeline.paths import JsonPath

Carried = dict[str, JsonPath]
"""Field of every record → path of the value in the body that it receives."""


def describe_function(function: Callable[..., Any]) -> str:
    """Module and name: what a declaration's hash knows of a function."""
    return f"{function.__module__}.{function.__qualname__}"


class RecordList(Declaration):
    """A list of records, each with values from around the list carried into it.

    `may_be_absent` is for APIs that leave an empty list out or write null for it; a mistyped path is then no
    error.
    """

    path: JsonPath = "data"
    carry: Carried = Field(default_factory=dict)
    may_be_absent: bool = False


class SingleRecord(Declaration):
    """One object that is one record: the whole body, or a part of it."""

    path: JsonPath = ""
    carry: Carried = Field(default_factory=dict)


class KeyedRecords(Declaration):
    """An object whose keys are data: `{"2024-01-02": {…}, "2024-01-03": {…}}`.

    Each key goes into the record's field `keys[0]`. Further names stand for further levels:
    `keys=("day", "currency"), value="rate"` makes three fields of `{"2024-01-02": {"USD": 1.09}}`.
    Without `value`, what the innermost keys hold are objects, whose fields are the record's.
    """

    path: JsonPath
    keys: tuple[str, ...] = Field(min_length=1)
    value: str | None = None
    carry: Carried = Field(default_factory=dict)


class ColumnArrays(Declaration):
    """An object of arrays of one length, one a column: `{"time": [1, 2], "temperature": [3.5, null]}`."""

    path: JsonPath
    carry: Carried = Field(default_factory=dict)


class RowArrays(Declaration):
    """A list of arrays, one a row: `[["a", 1], ["b", 2]]`.

    `names` are the fields, or the path to them in the body; without it the first row holds them.
    """

    path: JsonPath
    names: tuple[str, ...] | JsonPath | None = None
    carry: Carried = Field(default_factory=dict)


class GeoJsonFeatures(Declaration):
    """Features of a GeoJSON collection (RFC 7946): `properties` are the record's fields, beside `id`.

    Of a point, `longitude`, `latitude` and `elevation` (null where there is none) are fields too; any other
    geometry is the field `geometry`, as JSON. A property of one of these names is kept, and wins.
    """

    path: JsonPath = "features"
    carry: Carried = Field(default_factory=dict)


class NdjsonBody(Declaration):
    """A record a line (NDJSON, JSON Lines); empty lines are skipped."""


class CsvBody(Declaration):
    """Comma-separated rows (RFC 4180), the first of which names the fields.

    A cell is text, or a number or truth value where the record's field is one and the cell is written like
    one. An empty cell is null, `empty_is_null=False`: empty text. A row of another length is rejected.
    """

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: str = "utf-8"
    empty_is_null: bool = True


Select = Annotated[Callable[[bytes], Iterable[Any]], PlainSerializer(describe_function)]
"""A function of the pipeline's own: body → records, each an object that JSON has a form for, or JSON text.

It may be called again for the same body, by threads at once. A ValueError says that the body is no page of
this resource, and has it asked for again.
"""

RecordForm = (
    RecordList
    | SingleRecord
    | KeyedRecords
    | ColumnArrays
    | RowArrays
    | GeoJsonFeatures
    | NdjsonBody
    | CsvBody
)
Records = JsonPath | RecordForm | Select
"""The path to a list of objects in the body, or one of the other forms, or a function."""


class BodyError(Declaration):
    """An error that the API reports in the body of a success.

    A body in which there is something at `path` (not null, false, 0, empty) is an error, unless it is one of
    `fine`. `message` is where the reason stands, by default at `path`. The page is asked for again when the
    reason holds one of the words in `retriable`; else the run fails.
    """

    path: JsonPath
    message: JsonPath | None = None
    fine: tuple[str | int | bool, ...] = ()
    retriable: tuple[str, ...] = ()
