"""Children and their parents agree when they are declared, not when they run."""

from typing import Any

import pytest
from msgspec import Struct
from pydantic import ValidationError

from tasks.pipeline import (
    Frames,
    Incremental,
    Parent,
    Pipeline,
    Resource,
    RestApi,
    SinglePage,
    SyncToken,
    Table,
)
from tasks.pipeline.templates import fill_body, fill_text, find_in_body, find_in_text


class Project(Struct):
    id: int
    slug: str
    owner: dict[str, str]


class Task(Struct):
    id: int


def keep(frames: Frames) -> Frames:
    return frames


def make_resource(name: str, path: str, parent: Parent | None = None, **changes: Any) -> Resource:
    record = Project if name == "projects" else Task
    declared = {"name": name, "path": path, "record": record, "parent": parent, "paginator": SinglePage()}
    return Resource(**(declared | changes))


def make_pipeline(*resources: Resource) -> Pipeline:
    return Pipeline(
        name="tracker",
        source=RestApi(base_url="http://127.0.0.1:1"),
        resources=resources,
        transform=keep,
        tables=(Table(name=resources[0].name, primary_key=("id",)),),
    )


PROJECTS = make_resource("projects", "/projects")


def test_a_child_may_stand_before_its_parent_and_comes_after_it() -> None:
    tasks = make_resource("tasks", "/projects/{slug}/tasks", Parent(resource="projects"))
    notes = make_resource("notes", "/notes", Parent(resource="tasks"), params={"task": "{id}"})
    pipeline = make_pipeline(notes, tasks, PROJECTS)
    assert [resource.name for resource in pipeline.in_order()] == ["projects", "tasks", "notes"]


@pytest.mark.parametrize(
    ("child", "message"),
    [
        (("/p/{slug}", Parent(resource="project")), "is a child of 'project', not in ['projects', 'tasks']"),
        (("/p/{slgu}", Parent(resource="projects")), "has no field 'slgu'. Did you mean 'slug'?"),
        (("/p/{slug}", Parent(resource="projects", carry={"x": "nmae"})), "has no field 'nmae'. It has id"),
        (("/p", Parent(resource="projects")), "uses nothing of its parent 'projects'"),
        (("/p/{id}", Parent(resource="tasks")), "is its own ancestor: tasks of tasks"),
    ],
)
def test_a_child_that_cannot_be_asked_is_an_error(child: tuple[str, Parent], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        make_pipeline(PROJECTS, make_resource("tasks", *child))
    assert message in str(caught.value)


def test_the_table_of_a_changed_parents_children_is_not_replaced() -> None:
    """Only the children of changed parents come: all others would be deleted."""
    changes = Incremental(field="updated_at", param="since")
    parent = make_resource("projects", "/projects", incremental=changes)
    child = make_resource("tasks", "/p/{slug}", Parent(resource="projects"))
    with pytest.raises(ValidationError, match="all other rows would be deleted"):
        Pipeline(
            name="tracker",
            source=RestApi(base_url="http://127.0.0.1:1"),
            resources=(parent, child),
            transform=keep,
            tables=(Table(name="tasks", primary_key=("id",), disposition="replace"),),
        )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (Incremental(field="at", param="since"), "those of a parent that appears later and are older"),
        (SyncToken(path="token", param="since"), "each parent's children have a token of their own"),
    ],
)
def test_one_cursor_for_all_parents_is_refused(changes: Incremental | SyncToken, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        make_resource("tasks", "/p/{slug}", Parent(resource="projects"), incremental=changes)


def test_one_cursor_will_do_where_no_parent_has_older_children() -> None:
    parent = Parent(resource="projects", has_no_older_children=True)
    changes = Incremental(field="at", param="since")
    child = make_resource("tasks", "/p/{slug}", parent, incremental=changes)
    assert make_pipeline(PROJECTS, child).resource("tasks").incremental == changes


def test_the_fingerprint_knows_the_parent() -> None:
    one = make_resource("tasks", "/p/{slug}", Parent(resource="projects"))
    other = make_resource("tasks", "/p/{slug}", Parent(resource="projects", on_missing="skip"))
    assert make_pipeline(PROJECTS, one).fingerprint() != make_pipeline(PROJECTS, other).fingerprint()


def test_placeholders_are_filled_in_text_and_at_any_depth_of_a_body() -> None:
    values = {"id": 7, "owner.login": "ada"}
    assert find_in_text("/p/{owner.login}/{id}") == ["owner.login", "id"]
    assert fill_text("/p/{owner.login}/{id}", values, str) == "/p/ada/7"
    body = {"variables": {"id": "{id}", "tags": ["{owner.login}"]}, "first": 10}
    assert list(find_in_body(body)) == ["id", "owner.login"]
    assert fill_body(body, values) == {"variables": {"id": 7, "tags": ["ada"]}, "first": 10}


def test_braces_of_a_query_are_no_placeholders() -> None:
    body = {"query": "query($p: ID) { project(id: $p) { tasks {id} } }", "variables": {"p": "{id}"}}
    assert fill_body(body, {"id": 7}) == {**body, "variables": {"p": 7}}
