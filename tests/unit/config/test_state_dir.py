"""Where state is kept when nobody says so."""

from pathlib import Path

import pytest

from triton_watch.config.state_dir import default_state_dir, state_dir, state_dir_text


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"STATE_DIRECTORY": "/var/lib/triton-watch"}, "/var/lib/triton-watch"),
        ({"STATE_DIRECTORY": "/var/lib/one:/var/lib/two", "XDG_STATE_HOME": "/s"}, "/var/lib/one"),
        ({"XDG_STATE_HOME": "/home/ann/.state", "HOME": "/home/ann"}, "/home/ann/.state/triton-watch"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/home/ann"}, "/home/ann/.local/state/triton-watch"),
        ({"STATE_DIRECTORY": "", "XDG_STATE_HOME": "", "HOME": "/root"}, "/root/.local/state/triton-watch"),
    ],
)
def test_the_system_says_where_state_goes(environ: dict[str, str], expected: str) -> None:
    """systemd first, then the XDG base directories, then the home of the user."""
    assert default_state_dir(environ) == Path(expected)


def test_a_user_without_variables_has_a_home_all_the_same() -> None:
    """The home directory is then that of the user database."""
    assert default_state_dir({}) == Path.home() / ".local" / "state" / "triton-watch"


@pytest.mark.parametrize(
    ("text", "directory"),
    [("none", None), ("./none", Path("none")), ("state", Path("state")), ("/var/lib/x", Path("/var/lib/x"))],
)
def test_what_is_written_is_read_back(text: str, directory: Path | None) -> None:
    """`none` is memory only; a directory of that name can still be said."""
    assert state_dir(text, Path()) == directory
    assert state_dir_text(directory) == text


def test_a_relative_directory_starts_at_the_file() -> None:
    """As every path of a configuration does."""
    assert state_dir("state", Path("/etc/triton-watch")) == Path("/etc/triton-watch/state")
