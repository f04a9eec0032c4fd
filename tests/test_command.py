"""The command's last line of defence: what nobody foresaw is told without a value."""

import pytest

from carehouse import cli


def test_an_unforeseen_fault_says_where_and_never_what(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    message = "could not read 'Ann Canary', 999 000 0018"

    def fails() -> None:
        raise ValueError(message)

    monkeypatch.setattr(cli, "app", fails)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert "ValueError" in said and "in fails" in said
    assert "Canary" not in said and "999" not in said
