"""The demo API without a socket: paging, increments, corrections, the clock."""

import datetime as dt
import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.local.api.data import take_snapshot
from deployments.local.api.messages import Request, Response
from deployments.local.api.routes import answer
from deployments.local.api.snapshot import Snapshot, format_us, parse_us
from deployments.local.api.state import DemoState

# Five records, known at three moments, and not in the order of their ids.
MOMENTS = [
    "2013-01-03T00:00:00Z",
    "2013-01-01T00:00:00Z",
    "2013-01-02T00:00:00Z",
    "2013-01-02T00:00:00Z",
    "2013-01-01T00:00:00Z",
]


def make_snapshot(moments: list[str]) -> Snapshot:
    frame = pl.DataFrame(
        {"id": range(1, len(moments) + 1), "delay": range(len(moments)), "updated_at": moments},
        schema={"id": pl.Int64, "delay": pl.Int64, "updated_at": pl.String},
    )
    return take_snapshot(frame)


@pytest.fixture
def state() -> DemoState:
    return DemoState({"things": make_snapshot(MOMENTS)}, read_now_us=lambda: parse_us("2026-01-01T00:00:00Z"))


def call(state: DemoState, method: str, target: str, command: Any = None) -> Response:
    body = b"" if command is None else json.dumps(command).encode()
    return answer(state, Request(method, target, f"Bearer {state.token}", body))


def get(state: DemoState, target: str) -> dict[str, Any]:
    response = call(state, "GET", target)
    assert response.status == 200, response.body
    page: dict[str, Any] = json.loads(response.body)
    return page


def post(state: DemoState, command: str, content: Any = None) -> dict[str, Any]:
    response = call(state, "POST", f"/_control/{command}", content)
    assert response.status == 200, response.body
    answered: dict[str, Any] = json.loads(response.body)
    return answered


def read_ids(state: DemoState, target: str = "/things") -> list[int]:
    return [record["id"] for record in get(state, target)["data"]]


def test_records_are_ordered_by_updated_at_then_id(state: DemoState) -> None:
    assert read_ids(state) == [2, 5, 3, 4, 1]


def test_updated_since_is_exclusive(state: DemoState) -> None:
    assert read_ids(state, "/things?updated_since=2013-01-01T23:59:59.999999Z") == [3, 4, 1]
    assert read_ids(state, "/things?updated_since=2013-01-02T00:00:00Z") == [1]
    assert read_ids(state, "/things?updated_since=2013-01-02T01:00:00%2B01:00") == [1]
    empty = {"data": [], "page": 1, "pages": 0, "total": 0}
    assert get(state, "/things?updated_since=2013-01-03T00:00:00Z") == empty


@given(count=st.integers(0, 40), per_page=st.integers(1, 12))
def test_pages_cover_every_record_once(count: int, per_page: int) -> None:
    state = DemoState({"things": make_snapshot([MOMENTS[i % 5] for i in range(count)])})
    first = get(state, f"/things?per_page={per_page}")
    assert first["total"] == count
    assert first["pages"] == -(-count // per_page)
    seen = [
        i
        for page in range(1, 1 + first["pages"])
        for i in read_ids(state, f"/things?per_page={per_page}&page={page}")
    ]
    assert sorted(seen) == list(range(1, count + 1))
    assert read_ids(state, f"/things?per_page={per_page}&page={first['pages'] + 1}") == []


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("/things?page=0", "page must be a whole number from 1"),
        ("/things?page=one", "page must be a whole number from 1"),
        ("/things?page=%C2%B2", "page must be a whole number from 1"),
        ("/things?per_page=1001", "per_page must be a whole number from 1 to 1000"),
        ("/things?since=2013-01-01", "Did you mean 'updated_since'?"),
        ("/things?updated_since=2013-01-01", "with an offset from UTC"),
        ("/things?updated_since=yesterday", "updated_since: not an ISO-8601 moment"),
        ("/things?page=1&page=2", "given twice"),
    ],
)
def test_bad_parameter_is_400(state: DemoState, target: str, message: str) -> None:
    response = call(state, "GET", target)
    assert response.status == 400
    assert message in json.loads(response.body)["error"]["message"]


def test_unknown_resource_is_404(state: DemoState) -> None:
    assert call(state, "GET", "/thing").status == 404
    assert call(state, "GET", "/").status == 404
    assert call(state, "GET", "/_control/nothing").status == 404


def test_resource_can_only_be_read(state: DemoState) -> None:
    assert call(state, "POST", "/things").status == 405


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", "demo-token", "Bearer demo-tokén"])
@pytest.mark.parametrize("target", ["/things", "/nothing", "/_control/stats"])
def test_without_the_token_everything_is_401(state: DemoState, target: str, authorization: str) -> None:
    response = answer(state, Request("GET", target, authorization))
    assert response.status == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert state.stats.describe()["served"] == {}


def test_health_needs_no_token(state: DemoState) -> None:
    assert answer(state, Request("GET", "/health")).status == 200


def test_correction_moves_records_to_the_end_with_one_new_moment(state: DemoState) -> None:
    answered = post(state, "correct", {"resource": "things", "ids": [5, 1], "set": {"delay": 99}})
    assert answered == {"updated_at": "2026-01-01T00:00:00Z", "count": 2}
    page = get(state, "/things")
    assert [record["id"] for record in page["data"]] == [2, 3, 4, 1, 5]
    assert page["data"][-1] == {"id": 5, "delay": 99, "updated_at": "2026-01-01T00:00:00Z"}
    assert read_ids(state, "/things?updated_since=2013-01-03T00:00:00Z") == [1, 5]


def test_corrections_at_one_instant_get_increasing_moments(state: DemoState) -> None:
    moments = [
        post(state, "correct", {"resource": "things", "ids": [1], "set": {"delay": n}})["updated_at"]
        for n in range(3)
    ]
    assert moments == ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000001Z", "2026-01-01T00:00:00.000002Z"]
    assert get(state, "/things")["data"][-1]["delay"] == 2


def test_correction_by_id_may_change_the_type(state: DemoState) -> None:
    post(
        state, "correct", {"resource": "things", "set_by_id": {"1": {"delay": "late"}, "2": {"delay": None}}}
    )
    assert {r["id"]: r["delay"] for r in get(state, "/things")["data"]} == {
        1: "late",
        2: None,
        3: 2,
        4: 3,
        5: 4,
    }


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ({"resource": "things", "ids": [6], "set": {"delay": 1}}, "1 of 1 ids unknown"),
        ({"resource": "thing", "ids": [1], "set": {"delay": 1}}, "no resource 'thing'"),
        ({"resource": "things", "ids": [1], "set": {"dely": 1}}, "things has no dely"),
        ({"resource": "things", "ids": [1], "set": {"id": 1}}, "not to be set: id"),
        ({"resource": "things", "ids": [1]}, "nothing to correct"),
        ({"resource": "things", "id": [1], "set": {"delay": 1}}, "unknown field `id`"),
    ],
)
def test_senseless_correction_is_400_and_changes_nothing(
    state: DemoState, command: dict[str, Any], message: str
) -> None:
    before = get(state, "/things")
    response = call(state, "POST", "/_control/correct", command)
    assert response.status == 400
    assert message in json.loads(response.body)["error"]["message"]
    assert get(state, "/things") == before


def test_new_column_comes_when_asked_for(state: DemoState) -> None:
    post(state, "correct", {"resource": "things", "ids": [1], "set": {"gate": "B7"}, "new_columns": True})
    assert get(state, "/things")["data"][-1]["gate"] == "B7"


def test_clock_hides_what_is_not_known_yet(state: DemoState) -> None:
    post(state, "clock", {"now": "2013-01-02T00:00:00Z"})
    assert read_ids(state) == [2, 5, 3, 4]
    assert read_ids(state, "/things?updated_since=2013-01-01T00:00:00Z") == [3, 4]
    assert read_ids(state, "/things?updated_since=2013-01-04T00:00:00Z") == []
    post(state, "clock", {"now": None})
    assert len(read_ids(state)) == 5


def test_correction_under_a_clock_is_known_at_once_and_moves_the_clock(state: DemoState) -> None:
    post(state, "clock", {"now": "2013-01-01T00:00:00Z"})
    answered = post(state, "correct", {"resource": "things", "ids": [2], "set": {"delay": 7}})
    assert answered["updated_at"] == "2013-01-01T00:00:00.000001Z"
    assert read_ids(state) == [5, 2]
    assert read_ids(state, "/things?updated_since=2013-01-01T00:00:00Z") == [2]


def test_record_not_known_by_the_clock_cannot_be_corrected(state: DemoState) -> None:
    post(state, "clock", {"now": "2013-01-01T00:00:00Z"})
    command = {"resource": "things", "ids": [1], "set": {"delay": 7}}
    assert call(state, "POST", "/_control/correct", command).status == 400


def test_clock_does_not_go_back_before_a_correction(state: DemoState) -> None:
    post(state, "correct", {"resource": "things", "ids": [1], "set": {"delay": 7}})
    assert call(state, "POST", "/_control/clock", {"now": "2013-01-02T00:00:00Z"}).status == 409
    post(state, "reset")
    assert post(state, "clock", {"now": "2013-01-02T00:00:00Z"}) == {"now": "2013-01-02T00:00:00Z"}


def test_reset_restores_the_original_state() -> None:
    state = DemoState({"things": make_snapshot(MOMENTS)}, clock="2013-01-02T00:00:00Z")
    before = get(state, "/things")
    post(state, "correct", {"resource": "things", "ids": [2], "set": {"delay": 7}})
    post(state, "clock", {"now": None})
    post(state, "faults", {"fault": "error_500"})
    post(state, "rate_limit", {"requests_per_s": 1})
    post(state, "reset")
    assert state.stats.describe() == {"served": {}, "requests": []}
    assert [get(state, "/things") for _ in range(3)] == [before] * 3


def test_stats_tell_what_was_asked(state: DemoState) -> None:
    post(state, "faults", {"fault": "error_500", "page": 2, "times": 1})
    for target in ("/things?page=2&per_page=2", "/things?page=2&per_page=2", "/things?page=x"):
        call(state, "GET", target)
    stats = get(state, "/_control/stats")
    assert stats["served"] == {"things": {"200": 1, "400": 1, "500": 1}}
    assert [(r["params"]["page"], r["status"], r["fault"]) for r in stats["requests"]] == [
        ("2", 500, "error_500"),
        ("2", 200, None),
        ("x", 400, None),
    ]
    assert call(state, "DELETE", "/_control/stats").status == 200
    assert get(state, "/_control/stats")["served"] == {}


@given(st.datetimes(timezones=st.just(dt.UTC)))
def test_moment_survives_format_and_parse(moment: dt.datetime) -> None:
    assert format_us(parse_us(moment.isoformat())) == moment.isoformat().replace("+00:00", "Z")
