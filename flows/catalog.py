"""The pipelines there are: one file each in `flows/pipelines/`, found by its presence."""

import difflib
import importlib
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tasks.errors import ConfigurationError
from tasks.pipeline import Pipeline
from tasks.settings import base_url_override

FOLDER = Path(__file__).resolve().parent / "pipelines"


def pipeline_names() -> list[str]:
    """Names of all pipelines, sorted; a file whose name begins with `_` is none."""
    return sorted(file.stem for file in FOLDER.glob("*.py") if not file.stem.startswith("_"))


def find_pipeline(name: str) -> Pipeline:
    """The pipeline of this name, with its address overridden where `ASSAY_BASE_URL_<NAME>` says so.

    Raises:
        ConfigurationError: There is none (the nearest name is given), or its declaration is wrong.
    """
    names = pipeline_names()
    if name not in names:
        near = difflib.get_close_matches(name.replace("-", "_"), names, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(names) or 'none'}."
        raise ConfigurationError(f"There is no pipeline {name!r}. {hint}")
    pipeline = _import_pipeline(name)
    base_url = base_url_override(name)
    if base_url is None:
        return pipeline
    return pipeline.model_copy(update={"source": pipeline.source.model_copy(update={"base_url": base_url})})


def _import_pipeline(name: str) -> Pipeline:
    try:
        module = importlib.import_module(f"flows.pipelines.{name}")
    except ValidationError as exc:
        problems = "; ".join(_describe(exc.title, error) for error in exc.errors())
        raise ConfigurationError(f"flows/pipelines/{name}.py: {problems}") from exc
    except Exception as exc:
        problem = f"{type(exc).__name__}: {exc}"
        raise ConfigurationError(f"flows/pipelines/{name}.py cannot be imported: {problem}") from exc
    pipeline = getattr(module, "pipeline", None)
    if not isinstance(pipeline, Pipeline):
        raise ConfigurationError(f"flows/pipelines/{name}.py must define `pipeline = Pipeline(...)`.")
    if pipeline.name != name:
        raise ConfigurationError(
            f"flows/pipelines/{name}.py declares the pipeline {pipeline.name!r}; both must have one name."
        )
    return pipeline


def _describe(model: str, error: ErrorDetails) -> str:
    where = ".".join(map(str, (model, *error["loc"])))
    return f"{where}: {error['msg'].removeprefix('Value error, ')}"
