"""Web configuration files: what Prometheus takes is taken, and what cannot be done is said in a sentence."""

import json
import ssl
from dataclasses import replace
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.web_access import HASH, TLS, USERS, authority, certificate, web_file, write_pair
from triton_watch.config import ConfigError, ConfigUnreadableError, load, load_web
from triton_watch.config.apart import load_web_apart
from triton_watch.config.web_names import CIPHERS, TLS13_CIPHERS
from triton_watch.config.web_sections import WebFile, WebHttpSection, WebTlsSection
from triton_watch.config.web_tls import TlsProblemError, server_context
from triton_watch.records import ClientAuth

EXAMPLE = Path(__file__).parents[3] / "examples" / "web-config.yaml"
TLS_WITH = "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n  "


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates and keys, good ones and others."""
    folder = tmp_path_factory.mktemp("web")
    write_pair(folder, certificate("localhost"))
    other = trustme.CA().issue_cert("other")
    (folder / "other.pem").write_bytes(other.private_key_pem.bytes())
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "other-kind.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, *plain))
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"hunter2"),
    )
    (folder / "locked.pem").write_bytes(locked)
    (folder / "empty.pem").touch()
    (folder / "broken.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    (folder / "broken-key.pem").write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    return folder


def refusal(folder: Path, text: str) -> str:
    path = folder / "web.yml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_web(path)
    return str(caught.value).replace(f"{folder}/", "")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "web.yml: is empty: write tls_server_config or basic_auth_users, or {} for neither."),
        ("[]", "web.yml:1: has a list at the top: start with a key"),
        ("tls_server: {}", "web.yml:1: tls_server: is not a known setting: did you mean tls_server_config?"),
        ("targets: []", "web.yml:1: targets: is not a known setting: the ones known here are basic_auth_users, http"),
        (TLS_WITH + "min_versoin: TLS12", "web.yml:4: tls_server_config.min_versoin: is not a known setting: did you"),
        ("tls_server_config: {}", "web.yml:1: tls_server_config: has neither cert nor cert_file: add one of them."),
        ("tls_server_config: {cert_file: cert.pem}", "tls_server_config: has neither key nor key_file: add one"),
        (TLS_WITH + "key: x", "web.yml:1: tls_server_config: has both key and key_file: keep one of them."),
        ("tls_server_config: {cert_file: no.pem, key_file: key.pem}",
         "web.yml:1: tls_server_config.cert_file: no.pem does not exist: check the path."),
        ("tls_server_config: {cert_file: cert.pem, key_file: no.pem}",
         "web.yml:1: tls_server_config.key_file: no.pem does not exist: check the path."),
        ("tls_server_config:\n  cert_file: cert.pem\n  key_file: other.pem",
         "web.yml:3: tls_server_config.key_file: is not the key of the certificate in cert_file: give the two that"),
        ("tls_server_config: {cert_file: cert.pem, key_file: other-kind.pem}",
         "tls_server_config.key_file: is not the key of the certificate in cert_file: give the two that"),
        ("tls_server_config: {cert_file: empty.pem, key_file: key.pem}",
         "tls_server_config.cert_file: holds no certificate that can be used: give PEM, which begins with"),
        ("tls_server_config: {cert_file: broken.pem, key_file: key.pem}",
         "tls_server_config.cert_file: holds no certificate that can be used: give PEM, which begins with"),
        ("tls_server_config: {cert_file: cert.pem, key_file: cert.pem}",
         "tls_server_config.key_file: holds no private key: give one in PEM, which begins with"),
        ("tls_server_config: {cert_file: cert.pem, key_file: broken-key.pem}",
         "tls_server_config.key_file: is not a private key that can be used: give an RSA or EC key in PEM."),
        ("tls_server_config: {cert_file: cert.pem, key_file: locked.pem}",
         "tls_server_config.key_file: is a key with a password, which cannot be used: give it without one."),
        ("tls_server_config: {cert: hunter2, key_file: key.pem}", "tls_server_config.cert: holds no certificate"),
        (TLS_WITH + "min_version: TLS10", "tls_server_config.min_version: TLS10 is no longer safe and is not spoken"),
        (TLS_WITH + "min_version: TLS14", 'tls_server_config.min_version: "TLS14" is not known: did you mean TLS1'),
        (TLS_WITH + "min_version: TLS13\n  max_version: TLS12",
         "web.yml:5: tls_server_config.max_version: is below min_version, which is TLS13: raise it or lower that."),
        (TLS_WITH + "client_auth_type: RequestClientCert",
         "RequestClientCert takes a certificate that nobody verified, which is not done here: write VerifyClientCert"),
        (TLS_WITH + "client_auth_type: RequireAnyClientCert", "RequireAnyClientCert takes a certificate that nobody"),
        (TLS_WITH + "client_auth_type: Yes please", 'client_auth_type: "Yes please" is not known: the ones known here'),
        (TLS_WITH + "client_auth_type: RequireAndVerifyClientCert",
         "client_auth_type: needs the authority that signed the certificates of clients: give client_ca_file."),
        (TLS_WITH + "client_ca_file: ca.pem", "client_ca_file: is not used without client_auth_type: write RequireAnd"),
        (TLS_WITH + "client_allowed_sans: [a]", "client_allowed_sans: is not used without client_auth_type: write"),
        (TLS_WITH + "client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: key.pem",
         "tls_server_config.client_ca_file: holds no certificate that can be used"),
        (TLS_WITH + "cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]", 'cipher_suites[0]: "TLS_RSA_WITH_RC4_128_SHA" is not'),
        (TLS_WITH + "cipher_suites: [TLS_AES_128_GCM_SHA256]",
         "cipher_suites: has suites of TLS 1.3 alone, which are always offered: write min_version: TLS13, or name"),
        (TLS_WITH + "curve_preferences: [X25519, CurveP256]",
         "curve_preferences: has several curves, and Python's ssl takes one or its own choice: keep one or none."),
        (TLS_WITH + "curve_preferences: [P256]", 'curve_preferences[0]: "P256" is not known: did you mean CurveP256?'),
        ("basic_auth_users: {reader: hunter2}",
         "web.yml:1: basic_auth_users.reader: is not a bcrypt hash: make one with htpasswd -nBC 10"),
        (f"basic_auth_users: {{reader: {HASH[:-1]}}}", "basic_auth_users.reader: is not a bcrypt hash"),
        (f"basic_auth_users: {{'a:b': {HASH}}}", 'basic_auth_users["a:b"]: cannot be a user name'),
        (f"basic_auth_users: {{reader: {HASH}, reader: {HASH}}}", "basic_auth_users.reader: is there twice"),
        (f"basic_auth_users: {{reader: {HASH.replace('$04$', '$19$')}}}",
         "basic_auth_users.reader: has cost 19, so that a check takes longer than a scrape: make one of cost 10."),
        ("http_server_config: {headers: {Server: x}}",
         "http_server_config.headers.Server: is not a header that may be set here: the ones known here are Content-"),
        ("http_server_config: {headers: {X-Frame-Options: allow}}",
         "http_server_config.headers.X-Frame-Options: has a value that browsers do not know: write deny or same"),
        ("http_server_config: {headers: {Strict-Transport-Security: \"a\\nb\"}}",
         "http_server_config.headers.Strict-Transport-Security: is not a header value"),
        ("http_server_config: {http2: 'yes'}", "http_server_config.http2: is text where true or false belongs"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_a_sentence(folder: Path, text: str, sentence: str) -> None:
    said = refusal(folder, text)
    assert sentence in said
    assert all(line.startswith("web.yml") and line.endswith((".", "?")) for line in said.splitlines())
    assert "hunter2" not in said


def test_every_problem_is_listed_at_once(folder: Path) -> None:
    text = "tls_server_config: {cert_file: no.pem, key_file: key.pem}\nbasic_auth_users: {'': " + HASH + "}\n"
    assert len(refusal(folder, text).splitlines()) == 2


def test_a_missing_file_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(ConfigUnreadableError, match="does not exist"):
        load_web(tmp_path / "absent.yml")


def test_everything_is_taken_in_and_paths_start_at_the_files_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = TLS_WITH + (
        "client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n  client_allowed_sans: [a, b]\n"
        "  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_AES_128_GCM_SHA256]\n"
        "  prefer_server_cipher_suites: false\n  min_version: TLS12\n  max_version: TLS13\n"
        "  curve_preferences: [CurveP384]\nhttp_server_config:\n  http2: true\n  headers: {X-Frame-Options: deny}\n"
    )
    path = web_file(tmp_path, text + USERS)
    monkeypatch.chdir("/")
    access = load_web(path)
    tls = access.tls
    assert tls is not None
    assert (tls.certificate.file, tls.key.file) == (tmp_path / "cert.pem", tmp_path / "key.pem")
    assert (tls.client_auth, tls.allowed_sans) == (ClientAuth.REQUIRED, ("a", "b"))
    assert (tls.ciphers, tls.curve) == ("ECDHE-RSA-AES256-GCM-SHA384", "secp384r1")
    assert (tls.min_version, tls.max_version, tls.server_preference) == ("TLS12", "TLS13", False)
    assert access.headers == (("X-Frame-Options", "deny"),)
    assert access.users == (("reader", HASH),)
    assert [warning.split(":")[0] for warning in access.warnings] == ["http_server_config.http2"]
    assert access == load_web_apart(path)


def test_a_curve_that_this_ssl_cannot_choose_is_a_sentence(tmp_path: Path) -> None:
    tls = load_web(web_file(tmp_path, TLS_WITH)).tls
    assert tls is not None
    with pytest.raises(TlsProblemError, match="is a curve that this Python's ssl cannot choose") as caught:
        server_context(replace(tls, curve="no-curve"))
    assert caught.value.key == "curve_preferences"


def test_empty_sections_are_those_that_are_not_there(tmp_path: Path) -> None:
    path = web_file(tmp_path, "tls_server_config:\nhttp_server_config:\nbasic_auth_users:\n")
    access = load_web(path)
    assert (access.tls, access.headers, access.users) == (None, (), ())


def test_certificates_may_stand_in_the_file(tmp_path: Path) -> None:
    leaf = certificate("localhost")

    def block(pem: bytes) -> str:
        return "|\n" + "".join(f"    {line}\n" for line in pem.decode().splitlines())

    chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
    text = (
        f"tls_server_config:\n  cert: {block(chain)}  key: {block(leaf.private_key_pem.bytes())}"
        f"  client_auth_type: VerifyClientCertIfGiven\n  client_ca: {block(authority().cert_pem.bytes())}"
    )
    path = tmp_path / "web.yml"
    path.write_text(text)
    tls = load_web(path).tls
    assert tls is not None
    assert server_context(tls).verify_mode is ssl.CERT_OPTIONAL


def test_dollars_are_dollars(tmp_path: Path) -> None:
    """Prometheus replaces no variables in this file, and hashes are full of them."""
    path = web_file(tmp_path, "http_server_config: {headers: {Content-Security-Policy: '${HOME} $$'}}\n")
    assert load_web(path).headers == (("Content-Security-Policy", "${HOME} $$"),)


def test_a_costly_hash_is_warned_of(tmp_path: Path) -> None:
    path = web_file(tmp_path, f"basic_auth_users: {{reader: {HASH.replace('$04$', '$15$')}}}\n")
    assert load_web(path).warnings == (
        "basic_auth_users.reader: the hash has cost 15, which takes seconds to check: 10 to 12 is usual.",
    )


@pytest.mark.parametrize("suite", sorted(CIPHERS))
def test_openssl_knows_every_cipher_suite_under_our_name(suite: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(CIPHERS[suite])
    assert CIPHERS[suite] in {cipher["name"] for cipher in context.get_ciphers()}


def test_openssl_always_offers_the_suites_of_tls_13() -> None:
    offered = {cipher["name"] for cipher in ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).get_ciphers()}
    assert offered >= TLS13_CIPHERS


def test_no_secret_is_shown_of_what_was_loaded(tmp_path: Path) -> None:
    access = load_web(web_file(tmp_path, TLS + USERS))
    assert HASH not in repr(access)
    assert "PRIVATE" not in repr(access)


def test_a_configuration_tells_whether_its_web_configuration_asks_for_tls(tmp_path: Path) -> None:
    web_file(tmp_path, TLS)
    path = tmp_path / "triton-watch.yaml"
    path.write_text("targets: [{host: a}]\nweb: {config_file: web.yml}\n")
    web = load(path, {}).web
    assert (web.config_file, web.tls) == (tmp_path / "web.yml", True)


def test_what_is_wrong_with_the_web_configuration_is_told_of_the_configuration(tmp_path: Path) -> None:
    web_file(tmp_path, "basic_auth_users: {a: x, b: y}\n")
    path = tmp_path / "triton-watch.yaml"
    path.write_text("targets: [{host: a}]\nweb:\n  config_file: web.yml\n")
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    lines = str(caught.value).splitlines()
    assert [line.split(": is not")[0] for line in lines] == [
        f"{path}:3: web.config_file: {tmp_path}/web.yml:1: basic_auth_users.{name}" for name in "ab"
    ]


def test_the_example_offers_and_the_documentation_explains_every_setting(tmp_path: Path) -> None:
    """With all that is commented out in the example it is good, too."""
    (tmp_path / "tls").mkdir()
    write_pair(tmp_path / "tls", certificate("localhost"))
    (tmp_path / "tls" / "ca.pem").rename(tmp_path / "tls" / "clients-ca.pem")
    path = tmp_path / "web.yml"
    path.write_text(EXAMPLE.read_text().replace("  # client_", "  client_"))
    access = load_web(path)
    assert access.tls is not None
    assert access.tls.allowed_sans
    page = (EXAMPLE.parents[1] / "docs" / "operations.md").read_text()
    names = {*WebFile.model_fields, *WebTlsSection.model_fields, *WebHttpSection.model_fields}
    assert [name for name in sorted(names) if name not in page] == []


KEYS = sorted({*WebFile.model_fields, *WebTlsSection.model_fields, *WebHttpSection.model_fields, "reader"})
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.sampled_from([HASH, "cert.pem", "TLS12"])
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=10,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(value=st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4))
def test_any_content_is_taken_or_refused_in_sentences(folder: Path, value: object) -> None:

    path = folder / "any.yml"
    path.write_text(json.dumps(value))
    said = ["."]
    try:
        load_web(path)
    except ConfigError as error:
        said = [problem.message for problem in error.problems]
    assert all(message.endswith((".", "?")) for message in said)
