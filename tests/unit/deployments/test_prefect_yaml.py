"""prefect.yaml against Prefect's own models, closed: Prefect itself ignores a key that it does not know."""

import copy
import importlib.util
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from prefect.cli.deploy._models import PrefectYamlModel
from prefect.client.schemas.objects import ConcurrencyLimitStrategy
from prefect.client.schemas.schedules import CronSchedule

PROJECT = Path(__file__).parents[3]
PIPELINES = sorted(
    path.stem for path in (PROJECT / "flows" / "pipelines").glob("*.py") if not path.stem.startswith("_")
)

Document = dict[str, Any]


def close(schema: Any) -> Any:
    """The JSON schema with no object in it open to further keys, where it names the keys it knows."""
    if isinstance(schema, list):
        return [close(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: close(part) for key, part in schema.items()}
    if isinstance(schema.get("properties"), dict) and "additionalProperties" not in schema:
        closed["additionalProperties"] = False
    return closed


SCHEMA = close(PrefectYamlModel.model_json_schema(by_alias=True))


@pytest.fixture
def document() -> Document:
    loaded: Document = yaml.safe_load((PROJECT / "prefect.yaml").read_text(encoding="utf-8"))
    return loaded


def rename(document: Document, path: tuple[str | int, ...], wrong: str) -> Document:
    """A copy of the document in which the last key of `path` is mistyped."""
    changed = copy.deepcopy(document)
    parent: Any = changed
    for step in path[:-1]:
        parent = parent[step]
    parent[wrong] = parent.pop(path[-1])
    return changed


def test_every_key_is_one_that_prefect_knows(document: Document) -> None:
    jsonschema.validate(document, SCHEMA)


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("deployments",), "deployment"),
        (("pull",), "pulls"),
        (("deployments", 0, "concurrency_limit"), "concurency_limit"),
        (("deployments", 0, "concurrency_limit", "limit"), "limits"),
        (("deployments", 0, "concurrency_limit", "collision_strategy"), "colision_strategy"),
        (("deployments", 0, "work_pool"), "workpool"),
        (("deployments", 0, "work_pool", "name"), "nam"),
        (("deployments", 0, "schedules"), "schedule s"),
        (("deployments", 0, "schedules", 0, "cron"), "crom"),
        (("deployments", 0, "schedules", 0, "timezone"), "time_zone"),
        (("deployments", 0, "parameters"), "params"),
    ],
)
def test_a_mistyped_key_is_refused_that_prefect_would_ignore(
    document: Document, path: tuple[str | int, ...], wrong: str
) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(rename(document, path, wrong), SCHEMA)


def test_prefect_itself_ignores_a_mistyped_concurrency_limit(document: Document) -> None:
    mistyped = rename(document, ("deployments", 0, "concurrency_limit"), "concurency_limit")
    assert PrefectYamlModel.model_validate(mistyped).deployments[0].concurrency_limit is None


def test_every_pipeline_has_a_deployment_and_every_deployment_a_pipeline(document: Document) -> None:
    deployed = sorted(deployment["parameters"]["pipeline"] for deployment in document["deployments"])
    assert sorted(set(deployed)) == PIPELINES


def test_every_deployment_says_all_that_prefect_would_ask_or_guess(document: Document) -> None:
    assert document["pull"] == []
    for deployment in document["deployments"]:
        assert deployment["name"] == deployment["parameters"]["pipeline"].replace("_", "-")
        assert deployment["entrypoint"].startswith("flows.")
        assert deployment["work_pool"]["name"] == "assay"
        assert isinstance(deployment["schedules"], list)
        assert deployment["concurrency_limit"]["limit"] == 1
        ConcurrencyLimitStrategy(deployment["concurrency_limit"]["collision_strategy"])


def test_every_schedule_is_valid_and_names_its_timezone(document: Document) -> None:
    for deployment in document["deployments"]:
        for schedule in deployment["schedules"]:
            CronSchedule(cron=schedule["cron"], timezone=schedule["timezone"])


def test_every_entrypoint_is_a_module_of_this_project(document: Document) -> None:
    for deployment in document["deployments"]:
        module = deployment["entrypoint"].rpartition(".")[0]
        spec = importlib.util.find_spec(module)
        assert spec is not None
        assert spec.origin is not None
        assert Path(spec.origin).is_relative_to(PROJECT)
