"""What a DNS server can do wrong: no answer, a cut one, a failure, nonsense. Real answers: tests/integration."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from support.dns_server import LOOPBACK, ScriptedDns, free_port
from triton_watch.discovery.building import targets_of
from triton_watch.discovery.errors import DiscoveryError
from triton_watch.discovery.look_ups import look_up
from triton_watch.records import DnsSource, RecordType

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def source(name: str = "pods.test.", record: RecordType = RecordType.A, port: int | None = None) -> DnsSource:
    return DnsSource(name, record, server=None if port is None else (LOOPBACK, port))


def answers(*records: str, ttl: int = 30) -> Callable[[dns.message.Message], bytes]:
    """An answer with the records of the type that is asked for: `A 10.0.0.1`."""

    def make(question: dns.message.Message) -> bytes:
        reply, asked = dns.message.make_response(question), question.question[0]
        kind = dns.rdatatype.to_text(asked.rdtype)
        mine = [record.partition(" ")[2] for record in records if record.startswith(f"{kind} ")]
        if mine:
            reply.answer.append(dns.rrset.from_text(asked.name, ttl, "IN", kind, *mine))
        return reply.to_wire(max_size=65535)

    return make


def says(code: dns.rcode.Rcode) -> Callable[[dns.message.Message], bytes]:
    def make(question: dns.message.Message) -> bytes:
        reply = dns.message.make_response(question)
        reply.set_rcode(code)
        return reply.to_wire()

    return make


def cut(question: dns.message.Message) -> bytes:
    reply = dns.message.make_response(question)
    reply.flags |= dns.flags.TC
    return reply.to_wire()


def silence(_question: dns.message.Message) -> bytes | None:
    return None


def test_an_answer_that_is_cut_comes_whole_over_tcp() -> None:
    many = [f"A 10.0.{number // 250}.{number % 250 + 1}" for number in range(1000)]
    with ScriptedDns(cut, answers(*many)) as server:
        found = look_up(source(port=server.port))
    assert len(found) == 1000
    assert found[0] == ("10.0.0.1", 8000)


@pytest.mark.parametrize("code", [dns.rcode.SERVFAIL, dns.rcode.REFUSED, dns.rcode.NOTIMP])
def test_a_server_that_fails_is_not_a_name_without_addresses(code: dns.rcode.Rcode) -> None:
    with ScriptedDns(says(code)) as server, pytest.raises(DiscoveryError, match=dns.rcode.to_text(code)):
        look_up(source(port=server.port))


@pytest.mark.parametrize("make", [says(dns.rcode.NXDOMAIN), answers()])
@pytest.mark.parametrize("record", list(RecordType))
def test_a_name_that_does_not_exist_and_one_without_records_have_no_servers(
    make: Callable[[dns.message.Message], bytes], record: RecordType
) -> None:
    with ScriptedDns(make) as server:
        assert look_up(source(record=record, port=server.port)) == ()


@pytest.mark.parametrize(
    ("make", "record", "why"),
    [
        (says(dns.rcode.NXDOMAIN), RecordType.A, "the name pods.test. does not exist (NXDOMAIN)"),
        (answers(), RecordType.A, "pods.test. has no A or AAAA record"),
        (answers("SRV 0 0 0 ."), RecordType.SRV, "the SRV records of pods.test. say that there is no server"),
    ],
)
def test_why_a_name_has_no_servers_is_said(
    make: Callable[[dns.message.Message], bytes], record: RecordType, why: str
) -> None:
    with ScriptedDns(make) as server:
        assert look_up(source(record=record, port=server.port)).why == why


def test_silence_ends_at_the_deadline() -> None:
    begun = time.monotonic()
    with ScriptedDns(silence) as server, pytest.raises(DiscoveryError, match=r"in time: 127\.0\.0\.1"):
        look_up(source(port=server.port), seconds=0.5)
    assert 0.4 < time.monotonic() - begun < 5.0


def test_a_port_that_nobody_listens_on_is_a_failure_within_the_deadline() -> None:
    with pytest.raises(DiscoveryError, match=r"pods\.test\. A"):
        look_up(source(port=free_port()), seconds=0.5)


@pytest.mark.parametrize("garbage", [b"", b"\0", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff" * 600])
def test_what_is_no_answer_is_a_failure(garbage: bytes) -> None:
    def make(question: dns.message.Message) -> bytes:
        return question.id.to_bytes(2, "big") + garbage

    with ScriptedDns(make) as server, pytest.raises(DiscoveryError):
        look_up(source(port=server.port), seconds=0.5)


def test_ipv6_addresses_count_only_where_there_is_no_ipv4_address() -> None:
    with ScriptedDns(answers("A 10.0.0.1", "AAAA fd00::1")) as server:
        assert look_up(source(port=server.port)) == (("10.0.0.1", 8000),)
        assert look_up(source(port=server.port, record=RecordType.AAAA)) == (("fd00::1", 8000),)
        assert server.asked == ["pods.test. A", "pods.test. AAAA"]
    with ScriptedDns(answers("AAAA fd00::1")) as server:
        assert look_up(source(port=server.port)) == (("fd00::1", 8000),)


def test_a_failure_of_the_ipv4_look_up_is_not_answered_with_ipv6_addresses() -> None:
    def make(question: dns.message.Message) -> bytes:
        is_ipv4 = question.question[0].rdtype == dns.rdatatype.A
        return (says(dns.rcode.SERVFAIL) if is_ipv4 else answers("AAAA fd00::1"))(question)

    with ScriptedDns(make) as server, pytest.raises(DiscoveryError):
        look_up(source(port=server.port))


def test_srv_records_name_servers_and_their_ports_and_the_root_is_none() -> None:
    records = ("SRV 0 0 8000 GPU-1.test.", "SRV 0 0 31000 gpu-2.test.", "SRV 0 0 0 .", "SRV 0 0 0 gpu-3.test.")
    with ScriptedDns(answers(*records)) as server:
        found = look_up(source(record=RecordType.SRV, port=server.port))
    assert found == (("gpu-1.test", 8000), ("gpu-2.test", 31000))


def search(folder: Path, *lines: str) -> str:
    path = folder / "resolv.conf"
    path.write_text("\n".join([f"nameserver {LOOPBACK}", *lines, ""]))
    return str(path)


ORDERS = (
    ("pods", ("search a.test b.test", "options ndots:5"), ["pods.a.test.", "pods.b.test.", "pods."]),
    ("pods.x", ("search a.test",), ["pods.x.", "pods.x.a.test."]),
    ("pods.x", ("search a.test", "options ndots:2"), ["pods.x.a.test.", "pods.x."]),
    ("pods.x.", ("search a.test", "options ndots:5"), ["pods.x."]),
    ("pods", (), ["pods."]),
)


@pytest.mark.parametrize(("name", "lines", "asked"), ORDERS)
def test_search_domains_are_tried_as_the_systems_resolver_does(
    tmp_path: Path, name: str, lines: tuple[str, ...], asked: list[str]
) -> None:
    with ScriptedDns(says(dns.rcode.NXDOMAIN)) as server:
        assert look_up(source(name, RecordType.SRV), resolv_conf=search(tmp_path, *lines), port=server.port) == ()
    whole = [one for one in server.asked if not one.startswith("pods. ") or "pods." in asked]
    assert [one.removesuffix(" SRV") for one in whole][: len(asked)] == asked


def test_a_search_domain_that_fails_is_passed_by_where_a_later_name_is_known(tmp_path: Path) -> None:
    def make(question: dns.message.Message) -> bytes:
        is_first = str(question.question[0].name) == "pods.a.test."
        return (says(dns.rcode.SERVFAIL) if is_first else answers("A 10.0.0.1"))(question)

    resolv_conf = search(tmp_path, "search a.test b.test")
    with ScriptedDns(make) as server:
        assert look_up(source("pods"), resolv_conf=resolv_conf, port=server.port) == (("10.0.0.1", 8000),)


def test_a_search_domain_that_fails_is_a_failure_where_no_name_is_known(tmp_path: Path) -> None:
    def make(question: dns.message.Message) -> bytes:
        is_first = str(question.question[0].name) == "pods.a.test."
        return says(dns.rcode.SERVFAIL if is_first else dns.rcode.NXDOMAIN)(question)

    resolv_conf = search(tmp_path, "search a.test b.test")
    with ScriptedDns(make) as server, pytest.raises(DiscoveryError, match="SERVFAIL"):
        look_up(source("pods"), resolv_conf=resolv_conf, port=server.port)


def test_a_machine_without_resolv_conf_is_told(tmp_path: Path) -> None:
    with pytest.raises(DiscoveryError, match="could not be looked up"):
        look_up(source(), resolv_conf=str(tmp_path / "none"))


def test_addresses_become_targets_and_those_that_cannot_are_told() -> None:
    own = DnsSource("pods.test.", RecordType.SRV, grpc_port=9001, metrics_port=9002, tls=True)
    targets, refused = targets_of(own, [("gpu-1.test", 8000), ("fd00::1", 8000), ("a b", 1)])
    assert [target.name for target in targets] == ["gpu-1.test:8000", "[fd00::1]:8000"]
    assert (targets[0].http_url, targets[0].metrics_url) == (
        "https://gpu-1.test:8000",
        "https://gpu-1.test:9002/metrics",
    )
    assert (targets[1].grpc_address, targets[1].grpc_tls) == ("[fd00::1]:9001", True)
    assert [sentence.partition(" cannot")[0] for sentence in refused] == ["a b:1"]
