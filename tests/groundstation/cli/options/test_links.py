"""The links that a command line names."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from groundstation.cli import cli
from groundstation.cli.options.station import named_links, station_config
from groundstation.links.base import NamedLink
from protocols.lander import MISSION

ACM, ZMQ = "serial:/dev/ttyACM0?baud=115200", "zmq:tcp://127.0.0.1:5570"


def test_links_without_a_name_are_called_by_their_place() -> None:
    assert named_links(ACM, [ZMQ]) == (NamedLink("A", ACM), NamedLink("B", ZMQ))


def test_a_name_stands_before_the_url() -> None:
    assert named_links(None, [f"bus={ACM}", f"mars-5={ZMQ}"]) == (NamedLink("bus", ACM), NamedLink("mars-5", ZMQ))


def test_no_link_is_a_usage_error() -> None:
    with pytest.raises(click.UsageError, match="no link: expected LINK, such as serial:"):
        named_links(None, [])
    done = CliRunner().invoke(cli, ["serve"])
    assert done.exit_code == 2 and "no link" in done.output


def test_one_link_makes_a_station_as_before() -> None:
    config = station_config(named_links(ACM, []), None, None, MISSION)
    assert (config.link, config.links, config.name) == (ACM, (), "ttyACM0")


def test_several_links_are_told_by_names_and_urls() -> None:
    config = station_config(named_links(None, [f"bus={ACM}", f"mars5={ZMQ}"]), None, None, MISSION, commands="mars5")
    assert config.link == f"bus={ACM} + mars5={ZMQ}" and config.command_link == 1
    assert [link.name for link in config.all_links] == ["bus", "mars5"]


def test_a_replay_beside_a_link_is_refused() -> None:
    done = CliRunner().invoke(cli, ["serve", "--link", "replay:/nowhere.sqlite", "--link", ZMQ])
    assert done.exit_code != 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([ZMQ, "--command-link", "A"], "there is one link, and commands go out over it"),
        (["--link", ZMQ, "--link", ZMQ], "two links have the URL"),
        (["--link", f"a={ZMQ}", "--link", "a=zmq:tcp://127.0.0.1:5571"], "two links have the name 'a'"),
        (["--link", ZMQ, "--link", "zmq:tcp://127.0.0.1:5571", "--command-link", "C"], "no link is named 'C'"),
    ],
)
def test_what_cannot_be_is_refused_with_the_value(arguments: list[str], text: str) -> None:
    done = CliRunner().invoke(cli, ["serve", *arguments])
    assert done.exception is not None and text in str(done.exception)
