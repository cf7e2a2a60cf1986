"""A folder as store: whole files, and only below its root."""

import os
from pathlib import Path

import pytest

from tasks.errors import ConfigurationError
from tasks.publish.storage import FolderStore

HTML = "text/html; charset=utf-8"


def test_file_is_written_and_replaced_under_its_path(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "reports")
    store.put("loads/a/1/index.html", b"old", HTML)
    store.put("loads/a/1/index.html", b"new", HTML)
    assert (tmp_path / "reports/loads/a/1/index.html").read_bytes() == b"new"
    assert store.url("loads/a/1/index.html") == (tmp_path / "reports/loads/a/1/index.html").as_uri()


def test_interrupted_write_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FolderStore(tmp_path)
    store.put("index.html", b"old", HTML)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        store.put("index.html", b"new", HTML)
    assert (tmp_path / "index.html").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["index.html"]  # noqa: PTH208 - names, hidden ones too


def test_web_server_of_another_user_may_read_it(tmp_path: Path) -> None:
    FolderStore(tmp_path).put("index.html", b"x", HTML)
    assert (tmp_path / "index.html").stat().st_mode & 0o044 == 0o044


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a/../../x", "a/./x", "a//x", "", "a\\..\\x", "a\0"])
def test_path_that_leaves_the_folder_is_refused(tmp_path: Path, path: str) -> None:
    store = FolderStore(tmp_path / "reports")
    with pytest.raises(ConfigurationError, match="not a relative path"):
        store.put(path, b"x", HTML)
    with pytest.raises(ConfigurationError, match="not a relative path"):
        store.url(path)
    assert list(tmp_path.iterdir()) == []


def test_folder_that_cannot_be_written_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigurationError, match="ASSAY_REPORTS_URL"):
        FolderStore(tmp_path / "file").put("index.html", b"x", HTML)
