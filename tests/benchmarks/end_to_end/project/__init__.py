"""The project with the benchmark's own pipelines and suites added, as somebody would who cloned it."""

import shutil
from pathlib import Path

HERE = Path(__file__).parent
PROJECT = HERE.parents[3]
FLEET = "bench_fleet_{:03}"


def copy_project(folder: Path, *, fleet: int = 0) -> Path:
    """Copy what runs into a folder, and add `fleet` pipelines like `bench_orders`, each with a schema."""
    skip = shutil.ignore_patterns(".assay")
    for name in ("flows", "tasks", "expectations", "deployments"):
        shutil.copytree(PROJECT / name, folder / name, ignore=skip)
    shutil.copytree(HERE / "pipelines", folder / "flows/pipelines", dirs_exist_ok=True)
    shutil.copytree(HERE / "suites", folder / "expectations/suites", dirs_exist_ok=True)
    benchmark = HERE.parent.relative_to(PROJECT)
    shutil.copytree(PROJECT / benchmark, folder / benchmark)
    for package in (folder / "tests", folder / "tests/benchmarks"):
        package.joinpath("__init__.py").touch()
    for number in range(1, fleet + 1):
        name = FLEET.format(number)
        folder.joinpath("flows/pipelines", f"{name}.py").write_text(
            "from flows.pipelines.bench_orders import pipeline as one\n\n"
            f'pipeline = one.model_copy(update={{"name": "{name}", "target_schema": "{name}"}})\n'
        )
    return folder
