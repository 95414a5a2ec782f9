"""Each mistake in a configuration has its message: bad/NAME.yaml is refused with the text of bad/NAME.txt."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support import file_modes
from triton_watch.config import ConfigError, ConfigUnreadableError, load

BAD = Path(__file__).parent / "bad"
CASES = sorted(path.stem for path in BAD.glob("*.yaml"))


@pytest.mark.parametrize("case", CASES)
def test_bad_configuration_is_refused_with_its_text(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole text is the one expected: file, line, path, what is wrong, what to do."""
    monkeypatch.chdir(BAD)
    with pytest.raises(ConfigError) as caught:
        load(Path(f"{case}.yaml"), {})
    assert str(caught.value) + "\n" == (BAD / f"{case}.txt").read_text()
    assert not isinstance(caught.value, ConfigUnreadableError)


def test_every_case_has_its_text() -> None:
    """No bad configuration is without a text, and no text without one."""
    assert len(CASES) > 100
    assert sorted(path.stem for path in BAD.glob("*.txt")) == CASES


@pytest.mark.parametrize("case", CASES)
def test_message_is_a_sentence_without_secrets(case: str) -> None:
    """Each problem is one line that ends as a sentence and never shows a password (here: hunter2)."""
    for line in (BAD / f"{case}.txt").read_text().splitlines():
        assert line.startswith(f"{case}.yaml:")
        assert line.endswith((".", "?"))
        assert "hunter" not in line


def _refusal(path: Path) -> str:
    with pytest.raises(ConfigUnreadableError) as caught:
        load(path, {})
    return str(caught.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A file that is not there is told apart from one that is wrong."""
    path = tmp_path / "absent.yaml"
    assert _refusal(path) == f"{path}: does not exist: give the path of the configuration file."


def test_directory_is_no_configuration(tmp_path: Path) -> None:
    """A directory is refused as such."""
    assert _refusal(tmp_path) == f"{tmp_path}: is a directory: give the path of the configuration file in it."


def test_path_through_a_file_cannot_be_read(tmp_path: Path) -> None:
    """Any other error of the system is given in its words."""
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "triton-watch.yaml"
    assert _refusal(path) == f"{path}: cannot be read (Not a directory): check the path."


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that every user may enter."""
    with file_modes.public_folder() as folder:
        yield folder


def test_file_of_another_user_may_not_be_read(public_folder: Path) -> None:
    """Missing permission is told apart from a missing file."""
    path = public_folder / "triton-watch.yaml"
    path.touch(mode=0)
    with file_modes.nobody():
        refusal = _refusal(path)
    assert refusal == f"{path}: may not be read by this user: change its owner or mode."


def test_secret_of_another_user_may_not_be_read(public_folder: Path) -> None:
    """The same for a file that the configuration names: there it is a problem of the configuration."""
    path, secret = public_folder / "triton-watch.yaml", public_folder / "token"
    path.write_text("targets: [{host: a, bearer_token_file: token}]\n")
    path.chmod(0o644)
    secret.touch(mode=0)
    with file_modes.nobody(), pytest.raises(ConfigError) as caught:
        load(path, {})
    place = f"{path}:1: targets[0].bearer_token_file"
    assert str(caught.value) == f"{place}: {secret} may not be read by this user: change its owner or mode."


def test_too_large_a_file_is_not_read_to_its_end() -> None:
    """A device that never ends, or a log given by mistake, is refused by its size."""
    with pytest.raises(ConfigError, match=r"is over 4 MB: this is not a configuration"):
        load(Path("/dev/zero"), {})
