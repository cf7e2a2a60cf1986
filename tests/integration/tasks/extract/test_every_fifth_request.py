"""An API of which every fifth request fails, in each way it can: the same records, in the same order."""

from pathlib import Path
from typing import get_args

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from deployments.local.api.faults import Fault, FaultName, FaultSwitch
from deployments.local.api.server import DemoApi
from tests.integration.tasks.extract.demo import PAGES, extract

PASSING = [name for name in get_args(FaultName) if name != "wrong_total"]


@pytest.fixture
def every_fifth(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults strike the first request and every fifth after it, whatever page they ask for."""
    strike, asked = FaultSwitch.strike, [0]

    def strike_fifth(switch: FaultSwitch, resource: str, page: int) -> Fault | None:
        asked[0] += 1
        return strike(switch, resource, page) if asked[0] % 5 == 1 else None

    monkeypatch.setattr(FaultSwitch, "strike", strike_fifth)


@pytest.mark.usefixtures("every_fifth")
@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_in_every_fifth_request_changes_nothing(
    api: DemoApi, tmp_path: Path, fault: FaultName
) -> None:
    expected = pl.read_parquet(Path(extract(api, tmp_path / "calm").frames) / "*.parquet")
    api.state.stats.clear()
    api.state.faults.switch_on(Fault(fault=fault, seconds=0.05))
    extracted = extract(api, tmp_path / "rough")
    assert_frame_equal(pl.read_parquet(Path(extracted.frames) / "*.parquet"), expected)
    assert len(api.state.stats.describe()["requests"]) >= PAGES + (0 if fault == "slow" else 2)
