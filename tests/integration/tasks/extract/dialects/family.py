"""Parents and their children: projects, the tasks of each, and a project that nobody may find."""

from msgspec import Struct

from tasks.pipeline import Cursor, Offset, PageNumber, Parent, Resource, SinglePage
from tests.integration.tasks.extract.dialects.paging import Records, cut, make_cursor, read_cursor, read_int
from tests.integration.tasks.extract.dialects.server import Asked, Reply

PROJECTS = 40
GONE = 13
"""A project whose tasks are answered with 404."""


def count_tasks(project: int) -> int:
    """None, one page, or several."""
    return [0, 3, 25, 61][project % 4]


def list_tasks(project: int) -> list[dict[str, object]]:
    return [{"id": 1000 * project + n, "title": f"task {n}"} for n in range(count_tasks(project))]


def projects(asked: Asked, _records: Records) -> Reply:
    """`/projects`, and `/projects/{slug}/tasks` by page with a total, by cursor, or by offset without one."""
    _, _, *rest = asked.path.split("/")
    if not rest:
        found = [{"id": n, "slug": f"p/{n} ü", "owner": {"login": f"o{n}"}} for n in range(PROJECTS)]
        return Reply({"data": found})
    project = int(rest[0].removeprefix("p%2F").partition("%20")[0])
    if project == GONE:
        return Reply({"message": "Not Found"}, status=404)
    tasks, size = list_tasks(project), 10
    if rest[1] == "pages":
        page = read_int(asked, "page", 1)
        return Reply({"data": cut(tasks, (page - 1) * size, size), "total": len(tasks)})
    if rest[1] == "offsets":
        return Reply({"data": cut(tasks, read_int(asked, "offset", 0), size)})
    start = read_cursor(asked.query.get("cursor"))
    following = make_cursor(start + size) if start + size < len(tasks) else None
    return Reply({"data": cut(tasks, start, size), "next": following})


class Owner(Struct):
    login: str


class Project(Struct):
    id: int
    slug: str
    owner: Owner


class Task(Struct):
    id: int
    title: str
    project: str
    owner: str


PARENT = Resource(name="projects", path="/projects", record=Project, paginator=SinglePage())
PAGINATORS: dict[str, PageNumber | Offset | Cursor] = {
    "pages": PageNumber(page_size=10, total_records="total"),
    "offsets": Offset(page_size=10),
    "cursors": Cursor(next="next"),
}


def declare_family(paging: str) -> tuple[Resource, Resource]:
    """The projects and their tasks, paged in one of three ways."""
    child = Resource(
        name="tasks",
        path=f"/projects/{{slug}}/{paging}",
        record=Task,
        paginator=PAGINATORS[paging],
        parent=Parent(
            resource="projects",
            carry={"project": "slug", "owner": "owner.login"},
            on_missing="skip",
        ),
    )
    return PARENT, child
