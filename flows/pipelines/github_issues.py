"""Issues and pull requests of a GitHub repository, with their labels.

https://docs.github.com/en/rest/issues/issues : pages by `Link` header, changes by `since`. Without the
secret `github-token` GitHub answers 60 requests an hour, which is enough for this repository.
"""

import datetime as dt

import msgspec
import polars as pl

from tasks.pipeline import Bearer, Frames, Incremental, LinkHeader, Pipeline, Resource, RestApi, Table

REPOSITORY = "jcrist/msgspec"


class User(msgspec.Struct, frozen=True):
    """Who wrote it."""

    login: str


class Label(msgspec.Struct, frozen=True):
    """One of its labels."""

    name: str


class PullRequest(msgspec.Struct, frozen=True):
    """There for pull requests, which are issues too."""

    url: str


class Issue(msgspec.Struct, frozen=True):
    """An issue as the API sends it; `user` is null when the account is gone."""

    id: int
    number: int
    title: str
    state: str
    user: User | None
    labels: list[Label]
    comments: int
    created_at: dt.datetime
    updated_at: dt.datetime
    closed_at: dt.datetime | None
    pull_request: PullRequest | None = None


def tidy(frames: Frames) -> Frames:
    """One row per issue or pull request; `id` unique. `labels` are sorted names with commas between."""
    issues = frames["github_issues"].select(
        "id",
        "number",
        "title",
        "state",
        "created_at",
        "updated_at",
        "closed_at",
        repository=pl.lit(REPOSITORY),
        author=pl.col("user").struct.field("login"),
        labels=pl.col("labels").list.eval(pl.element().struct.field("name")).list.sort().list.join(", "),
        comment_count="comments",
        is_pull_request=pl.col("pull_request").is_not_null(),
    )
    return {"github_issues": issues}


pipeline = Pipeline(
    name="github_issues",
    description=f"Issues and pull requests of {REPOSITORY}.",
    source=RestApi(
        base_url="https://api.github.com",
        auth=Bearer(secret="github-token", optional=True),  # noqa: S106 - the secret's name
        headers={"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"},
    ),
    resources=(
        Resource(
            name="github_issues",
            path=f"/repos/{REPOSITORY}/issues",
            params={"state": "all", "sort": "updated", "direction": "asc"},
            record=Issue,
            columns="discard",
            records="",
            paginator=LinkHeader(size_param="per_page", page_size=100),
            incremental=Incremental(
                field="updated_at", param="since", bound="exclusive", format="%Y-%m-%dT%H:%M:%SZ"
            ),
        ),
    ),
    transform=tidy,
    streamable=True,
    tables=(Table(name="github_issues", primary_key=("id",), version_by="updated_at"),),
)
