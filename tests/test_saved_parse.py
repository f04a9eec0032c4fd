"""What dbt has read of the project is used again only for the same project, and it holds no day and no build."""

import os
from pathlib import Path

import pytest

from carehouse import saved_parse
from carehouse.saved_parse import keep_only_if_same
from tests.model_sql import render


class Refused(Exception):
    pass


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "models").mkdir(parents=True)
    (folder / "models" / "a.sql").write_text("select 1 as a")
    (folder / "models" / "b.sql").write_text("select 2 as b")
    return folder


@pytest.fixture
def target(project: Path, tmp_path: Path) -> Path:
    """A folder in which dbt has kept what it read of the project."""
    folder = tmp_path / "target"
    keep_only_if_same(project, folder)
    (folder / "partial_parse.msgpack").write_text("read")
    return folder


def kept(project: Path, target: Path) -> bool:
    keep_only_if_same(project, target)
    return (target / "partial_parse.msgpack").exists()


def test_it_is_kept_for_the_same_project(project: Path, target: Path) -> None:
    (project / "target").mkdir()
    (project / "target" / "manifest.json").write_text("{}")
    assert kept(project, target)
    assert kept(project, target)


def test_a_changed_file_with_the_old_time_is_noticed(project: Path, target: Path) -> None:
    model = project / "models" / "a.sql"
    before = model.stat()
    model.write_text("select 9 as a")
    os.utime(model, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert not kept(project, target)


def test_files_that_change_places_are_noticed(project: Path, target: Path) -> None:
    a, b = project / "models" / "a.sql", project / "models" / "b.sql"
    a.rename(project / "kept.sql")
    b.rename(a)
    (project / "kept.sql").rename(b)
    assert not kept(project, target)


def test_a_file_that_is_gone_is_noticed(project: Path, target: Path) -> None:
    (project / "models" / "b.sql").unlink()
    assert not kept(project, target)


def test_another_dbt_reads_anew(project: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_parse, "version", lambda name: "another")
    assert not kept(project, target)


def test_what_was_read_before_anything_was_noted_is_not_believed(project: Path, target: Path) -> None:
    (target / "parsed_project.sha256").unlink()
    assert not kept(project, target)


def said(template: str, execute: bool, environment: dict[str, str], **variables: object) -> str:
    def env_var(name: str, default: str) -> str:
        # Whatever dbt asks for while it reads the project, it keeps with what it has read.
        assert execute, f"{name} was asked for while reading"
        return environment.get(name, default)

    def refuse(message: str) -> None:
        raise Refused(message)

    context = {"execute": execute, "env_var": env_var, "exceptions": {"raise_compiler_error": refuse}}
    return render(template, context, **variables).strip()


GIVEN = {"CAREHOUSE_AS_AT": "2018-10-31", "CAREHOUSE_PUBLICATION_ID": "7"}


@pytest.mark.parametrize(
    ("macro", "read", "run", "by_hand"),
    [
        ("{{ as_at() }}", "date '1900-01-01'", "date '2018-10-31'", "date '2019-01-07'"),
        ("{{ publication_id() }}", "0::bigint", "7::bigint", "9::bigint"),
    ],
)
def test_the_day_and_the_build_are_asked_for_when_a_model_runs(macro: str, read: str, run: str, by_hand: str) -> None:
    assert said(macro, execute=False, environment=GIVEN) == read
    assert said(macro, execute=True, environment=GIVEN) == run
    assert said(macro, execute=True, environment=GIVEN, as_at="2019-01-07", publication_id=9) == by_hand
    with pytest.raises(Refused, match="is not set"):
        said(macro, execute=True, environment={})
