"""The catalog: a pipeline is a file, and a wrong file is told of by field and reason."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import flows.pipelines
from flows import catalog
from flows.catalog import find_pipeline, pipeline_names
from tasks.errors import ConfigurationError

DECLARATION = """
from msgspec import Struct
from tasks.pipeline import Pipeline, Resource, RestApi, Table

class Order(Struct):
    id: int

pipeline = Pipeline(
    name="{name}",
    source=RestApi(base_url="http://127.0.0.1:1", timeout_s=7),
    resources=(Resource(name="orders", path="/orders", record=Order),),
    transform=dict,
    tables=(Table(name="orders", primary_key=("id",){more}),),
)
"""

Declare = Callable[..., None]


@pytest.fixture
def declare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Declare]:
    """Writes pipeline files into a folder that the catalog looks into."""
    monkeypatch.setattr(catalog, "FOLDER", tmp_path)
    monkeypatch.setattr(flows.pipelines, "__path__", [str(tmp_path)])
    before = set(sys.modules)

    def write(file: str, text: str = DECLARATION, *, name: str | None = None, more: str = "") -> None:
        filled = text.replace("{name}", name or file).replace("{more}", more)
        (tmp_path / f"{file}.py").write_text(filled, encoding="utf-8")

    yield write
    for module in set(sys.modules) - before:
        if module.startswith("flows.pipelines."):
            del sys.modules[module]


def test_pipelines_are_files_sorted_by_name(declare: Declare) -> None:
    for name in ("shop", "_shared", "bank"):
        declare(name)
    assert pipeline_names() == ["bank", "shop"]
    assert find_pipeline("shop").name == "shop"


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("shp", "Did you mean 'shop'?"),
        ("my-store", "Did you mean 'my_store'?"),
        ("zzz", "There are: my_store, shop."),
    ],
)
def test_unknown_name_gets_the_nearest(declare: Declare, asked: str, hint: str) -> None:
    declare("shop")
    declare("my_store")
    with pytest.raises(ConfigurationError) as caught:
        find_pipeline(asked)
    assert str(caught.value) == f"There is no pipeline {asked!r}. {hint}"


@pytest.mark.parametrize("asked", ["../shop", "_shared", "", "__init__"])
def test_only_names_of_pipelines_are_imported(declare: Declare, asked: str) -> None:
    declare("_shared", "raise SystemExit")
    with pytest.raises(ConfigurationError, match="There are: none"):
        find_pipeline(asked)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "flows/pipelines/shop.py must define `pipeline = Pipeline(...)`."),
        ("pipeline = {}", "must define `pipeline = Pipeline(...)`"),
        (
            "import absent_package",
            "flows/pipelines/shop.py cannot be imported: ModuleNotFoundError: No module",
        ),
        ("pipeline = (", "flows/pipelines/shop.py cannot be imported: SyntaxError: '(' was never closed"),
        ("raise RuntimeError('boom')", "flows/pipelines/shop.py cannot be imported: RuntimeError: boom"),
    ],
)
def test_file_that_declares_nothing_is_a_configuration_error(
    declare: Declare, text: str, message: str
) -> None:
    declare("shop", text)
    with pytest.raises(ConfigurationError) as caught:
        find_pipeline("shop")
    assert message in str(caught.value)


def test_file_and_pipeline_have_one_name(declare: Declare) -> None:
    declare("shop", name="store")
    with pytest.raises(
        ConfigurationError, match=r"shop\.py declares the pipeline 'store'; both must have one"
    ):
        find_pipeline("shop")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (", sute='x'", "shop.py: Table: there is no field 'sute'. Did you mean 'suite'?"),
        (", columns='all'", "shop.py: Table.columns: Input should be 'evolve' or 'freeze'"),
        (
            ", max_quarantined=-1, version_by=1",
            "Table.version_by: Input should be a valid string; Table.max_",
        ),
        (
            ", source='order'",
            "shop.py: Pipeline: table 'orders' reads resource 'order', not one of ['orders']",
        ),
    ],
)
def test_wrong_declaration_shows_field_and_reason(declare: Declare, more: str, message: str) -> None:
    declare("shop", more=more)
    with pytest.raises(ConfigurationError) as caught:
        find_pipeline("shop")
    assert message in str(caught.value)
    assert "Value error" not in str(caught.value)


def test_file_can_be_mended_and_found_again(declare: Declare) -> None:
    declare("shop", "raise RuntimeError")
    with pytest.raises(ConfigurationError):
        find_pipeline("shop")
    declare("shop", DECLARATION + "# mended\n")
    assert find_pipeline("shop").name == "shop"


def test_base_url_is_overridden_and_nothing_else(declare: Declare, monkeypatch: pytest.MonkeyPatch) -> None:
    declare("shop")
    declared = find_pipeline("shop")
    monkeypatch.setenv("ASSAY_BASE_URL_SHOP", "http://sandbox")
    overridden = find_pipeline("shop")
    assert overridden.source.base_url == "http://sandbox"
    assert overridden.source.timeout_s == 7
    assert declared.source.base_url == "http://127.0.0.1:1"
    assert overridden.fingerprint() != declared.fingerprint()
