"""What a disposition asks of the gate: tables without keys, rows that are deleted, versions that are kept."""

from pathlib import Path

import polars as pl
import pytest

from tests.unit.tasks.validate.gating import expect, judge, make_extracted

NOT_NULL = [expect("expect_column_values_to_not_be_null", column="a", meta={"quarantine": True})]


def frame_of(*rows: tuple[object, ...]) -> pl.DataFrame:
    schema = {"id": pl.Int64, "a": pl.String, "version": pl.Int64, "gone": pl.Boolean}
    return pl.DataFrame(list(rows), schema, orient="row")


def test_without_a_key_every_row_stands_for_itself(tmp_path: Path) -> None:
    frame = frame_of((1, "x", 1, None), (1, "x", 1, None), (None, "y", 1, None))
    verdict = judge(tmp_path, frame, NOT_NULL, primary_key=(), disposition="append")
    assert (verdict.verdict, verdict.clean_count, verdict.superseded) == ("passed", 3, 0)


def test_a_quarantined_row_without_a_key_has_no_key_in_quarantine(tmp_path: Path) -> None:
    frame = frame_of((1, "x", 1, None), (2, None, 1, None))
    verdict = judge(tmp_path, frame, NOT_NULL, primary_key=(), disposition="append")
    assert (verdict.verdict, verdict.quarantined) == ("passed", 1)
    assert pl.read_parquet(str(verdict.quarantine))["key"].to_list() == [None]


@pytest.mark.parametrize("rejected", [0, 1])
def test_a_keyless_replace_is_blocked_by_any_row_that_is_kept_out(tmp_path: Path, rejected: int) -> None:
    """Its published version would be deleted, and nobody could tell which it is."""
    file = tmp_path / "rejected.parquet"
    pl.DataFrame({"path": ["$.id"], "message": ["Expected `int`"]}).write_parquet(file)
    extracted = make_extracted(2, rejected_count=rejected, rejected=str(file) if rejected else None)
    good, bad = (1, "x", 1, None), (2, None, 1, None)
    batches: list[list[tuple[object, ...]]] = [[good], []] if rejected else [[good, bad]]
    for rows in batches:
        verdict = judge(
            tmp_path, frame_of(*rows), NOT_NULL, extracted=extracted, primary_key=(), disposition="replace"
        )
        assert verdict.verdict == "blocked"
        assert [o.expectation for o in verdict.outcomes if o.blocks] == ["keyless_replace_is_whole"]


def test_the_suite_does_not_see_deleted_rows_and_they_go_on_to_the_load(tmp_path: Path) -> None:
    frame = frame_of((1, "x", 1, False), (2, None, 1, True), (3, None, 1, None))
    verdict = judge(tmp_path, frame, NOT_NULL, tombstone="gone")
    assert (verdict.clean_count, verdict.quarantined) == (2, 1)
    assert sorted(pl.read_parquet(verdict.clean)["id"]) == [1, 2]
    assert verdict.outcomes[0].rows_seen == 2


def test_a_batch_of_deleted_rows_only_skips_the_suite(tmp_path: Path) -> None:
    suite = [expect("expect_table_row_count_to_be_between", min_value=1)]
    verdict = judge(tmp_path, frame_of((1, None, 1, True)), suite, tombstone="gone")
    assert (verdict.verdict, verdict.clean_count, verdict.outcomes) == ("passed", 1, ())


def test_every_version_of_a_row_is_kept_for_scd2_and_a_tie_is_of_one_version(tmp_path: Path) -> None:
    frame = frame_of(
        (1, "x", 1, None), (1, "y", 2, None), (1, "y", 2, None), (2, "a", 1, None), (2, "b", 1, None)
    )
    verdict = judge(tmp_path, frame, disposition="scd2", version_by="version")
    assert (verdict.clean_count, verdict.superseded, verdict.quarantined) == (2, 1, 2)
