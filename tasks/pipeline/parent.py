"""Resources whose records are asked for once for each record of another."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import Field

from tasks.pipeline.declaring import Declaration, Identifier
from tasks.pipeline.paths import JsonPath
from tasks.pipeline.templates import find_in_body, find_in_text


class Parent(Declaration):
    """The resource that this one is a child of: it is asked once for each of the parent's records.

    `{field}` in the child's path and parameters stands for that field of the parent's record, as it is in the
    parent's frame: `/repos/{name}/issues`. In its body a text that is nothing else does: `"{number}"`.
    Parents that are alike in all fields used are asked once; one that has null in a placeholder's field is
    passed over, and counted in the log.

    The children of all parents in the parent's frame are asked for: of an incremental parent, those of the
    parents that changed.

    Attributes:
        resource: Name of the parent.
        carry: Field of the child's record → field of the parent's record that it receives.
        on_missing: Whether a parent without children, to which the API answers 404 or 410, fails the run.
        has_no_older_children: An `incremental` of the child's own has one cursor for all parents, so what a
            new parent has from before it is not asked for. This says that there is none.
    """

    resource: Identifier
    carry: dict[str, JsonPath] = Field(default_factory=dict)
    on_missing: Literal["fail", "skip"] = "fail"
    has_no_older_children: bool = False

    def fields_used(self, needed: Iterable[str]) -> tuple[str, ...]:
        """The parent's fields that are needed to ask, and those carried, each once."""
        return tuple(dict.fromkeys([*needed, *self.carry.values()]))


def find_needed(path: str, params: Mapping[str, str], body: Any) -> list[str]:
    """The parent's fields that a request is asked with."""
    return [field for text in (path, *params.values()) for field in find_in_text(text)] + [
        *find_in_body(body)
    ]
