"""Resources whose records are asked for once for each record of another."""

from typing import Any, Literal

from pydantic import Field

from tasks.pipeline.declaring import Declaration, Identifier
from tasks.pipeline.paths import JsonPath
from tasks.pipeline.templates import find_placeholders


class Parent(Declaration):
    """The resource that this one is a child of: it is asked once for each of the parent's records.

    `{field}` in the child's path, parameters and body stands for that field of the parent's record, as it is
    in the parent's frame: `/repos/{name}/issues`. Parents that are alike in all fields used are asked once;
    one that has null in a placeholder's field is passed over, and counted in the log.

    The children of all parents in the parent's frame are asked for: of an incremental parent, those of the
    parents that changed. An `incremental` of the child's own has one cursor for all parents, so what a new
    parent has from before it is not asked for: leave it out where parents come with older children.

    Attributes:
        resource: Name of the parent.
        carry: Field of the child's record → field of the parent's record that it receives.
        on_missing: Whether a parent without children, to which the API answers 404 or 410, fails the run.
    """

    resource: Identifier
    carry: dict[str, JsonPath] = Field(default_factory=dict)
    on_missing: Literal["fail", "skip"] = "fail"

    def fields_used(self, *templates: Any) -> tuple[str, ...]:
        """The parent's fields that stand in these or are carried, each once."""
        found = [field for template in templates for field in find_placeholders(template)]
        return tuple(dict.fromkeys([*found, *self.carry.values()]))
