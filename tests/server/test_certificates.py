"""The device's authority and certificate: constraints as OpenSSL reads them, renewal, damage, the owner's own."""

from __future__ import annotations

import plistlib
import shutil
import ssl
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from appliance.errors import ConfigError
from appliance.server.certificates import LASTS, Certificates
from appliance.server.names import Address, own_names, unique_name
from appliance.server.shown import OwnersCertificate

NAMES = ("stimme-ab12.local", "stimme.local")
ADDRESSES: tuple[Address, ...] = (ip_address("192.168.1.20"), ip_address("203.0.113.9"), ip_address("fd00::2"))


def made(
    folder: Path, names: Sequence[str] = NAMES, addresses: Sequence[Address] = ADDRESSES, days: float = 0.0
) -> Certificates:
    return Certificates(folder, lambda: names, lambda: addresses, lambda: datetime.now(UTC) + timedelta(days=days))


def verified(folder: Path, certificate: Path, *options: str) -> str:
    done = subprocess.run(
        [
            "openssl",
            "verify",
            "-purpose",
            "sslserver",
            "-CAfile",
            str(folder / "authority.crt"),
            *options,
            str(certificate),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def issued(folder: Path, name: x509.GeneralName, *, is_authority: bool = False) -> Path:
    """What a thief of the authority's key would make."""
    authority = x509.load_pem_x509_certificate((folder / "authority.crt").read_bytes())
    key = serialization.load_pem_private_key((folder / "authority.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    own, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(authority.subject)
        .public_key(own.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=9))
        .add_extension(x509.SubjectAlternativeName([name]), critical=True)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "forged.crt"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path


def test_openssl_takes_the_certificate_for_the_devices_names_and_private_addresses_only(tmp_path: Path) -> None:
    assert made(tmp_path).names == (*NAMES, "192.168.1.20", "fd00::2")
    server = tmp_path / "server.crt"
    for option in ("-verify_hostname=stimme-ab12.local", "-verify_hostname=stimme.local", "-verify_ip=192.168.1.20"):
        name, _, value = option.partition("=")
        assert "OK" in verified(tmp_path, server, name, value)
    assert "mismatch" in verified(tmp_path, server, "-verify_hostname", "evil.example")


@pytest.mark.parametrize(
    "name",
    [
        x509.DNSName("google.com"),
        x509.DNSName("stimme-ffff.local"),
        x509.DNSName("local"),
        x509.IPAddress(ip_address("8.8.8.8")),
        x509.IPAddress(ip_address("2001:db8::1")),
    ],
)
def test_the_authority_cannot_vouch_for_anything_else(tmp_path: Path, name: x509.GeneralName) -> None:
    made(tmp_path)
    assert "permitted subtree violation" in verified(tmp_path, issued(tmp_path, name))
    assert "OK" in verified(tmp_path, issued(tmp_path, x509.DNSName("stimme-ab12.local")))


def test_the_authority_cannot_make_another_authority(tmp_path: Path) -> None:
    made(tmp_path)
    authority = x509.load_pem_x509_certificate((tmp_path / "authority.crt").read_bytes())
    constraints = authority.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical and constraints.value.path_length == 0
    assert authority.extensions.get_extension_for_class(x509.NameConstraints).critical


def test_keys_are_for_nobody_elses_eyes(tmp_path: Path) -> None:
    made(tmp_path / "tls")
    assert (tmp_path / "tls").stat().st_mode & 0o777 == 0o700
    for name in ("authority.key", "server.key"):
        assert (tmp_path / "tls" / name).stat().st_mode & 0o777 == 0o600


def test_it_is_renewed_before_its_end_and_when_names_or_addresses_change_but_not_otherwise(tmp_path: Path) -> None:
    first = made(tmp_path)
    serial = (tmp_path / "server.crt").read_bytes()
    assert first.renew() is False
    assert made(tmp_path).renew() is False
    assert (tmp_path / "server.crt").read_bytes() == serial
    assert made(tmp_path, addresses=[ip_address("10.0.0.7")]).names == (*NAMES, "10.0.0.7")
    authority = (tmp_path / "authority.crt").read_bytes()
    serial = (tmp_path / "server.crt").read_bytes()
    made(tmp_path, addresses=[ip_address("10.0.0.7")], days=368)
    assert (tmp_path / "server.crt").read_bytes() != serial
    assert (tmp_path / "authority.crt").read_bytes() == authority, "browsers trust it already"


def test_it_lasts_no_longer_than_browsers_take(tmp_path: Path) -> None:
    made(tmp_path)
    shown = x509.load_pem_x509_certificate((tmp_path / "server.crt").read_bytes())
    assert shown.not_valid_after_utc - shown.not_valid_before_utc <= LASTS <= timedelta(days=397)


@pytest.mark.parametrize("file", ["server.crt", "server.key", "authority.crt", "authority.key"])
@pytest.mark.parametrize("content", [None, b"", b"damaged"], ids=["missing", "empty", "damaged"])
def test_whatever_is_damaged_is_made_anew(tmp_path: Path, file: str, content: bytes | None) -> None:
    made(tmp_path)
    if content is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_bytes(content)
    made(tmp_path)
    assert "OK" in verified(tmp_path, tmp_path / "server.crt", "-verify_hostname", NAMES[0])


def test_a_name_that_the_authority_was_not_made_for_is_left_out_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made(tmp_path)
    assert "panel.home.arpa" not in made(tmp_path, names=(*NAMES, "panel.home.arpa")).names
    assert "panel.home.arpa" in caplog.text and "authority.key" in caplog.text


def test_the_fingerprint_is_four_words_and_the_profile_holds_the_certificate(tmp_path: Path) -> None:
    authority = made(tmp_path).authority
    assert len(authority.words()) == 4 and authority.words() == made(tmp_path).authority.words()
    assert authority.words() != made(tmp_path / "other").authority.words()
    profile = plistlib.loads(authority.apple_profile(NAMES[0]))
    assert profile["PayloadContent"][0]["PayloadType"] == "com.apple.security.root"
    assert profile["PayloadContent"][0]["PayloadContent"] == authority.der
    shown = subprocess.run(
        ["openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in", str(tmp_path / "authority.crt")],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert authority.fingerprint in shown


def test_the_owners_own_is_read_again_when_it_changes_and_kept_when_the_new_one_is_none(tmp_path: Path) -> None:
    made(tmp_path / "a")
    made(tmp_path / "b")
    certificate, key = tmp_path / "own.crt", tmp_path / "own.key"

    def put(folder: str) -> None:
        for target, name in ((certificate, "server.crt"), (key, "server.key")):
            shutil.copyfile(tmp_path / folder / name, target)

    put("a")
    own = OwnersCertificate(str(certificate), str(key))
    assert own.renew() is False
    put("b")
    assert own.renew() is True
    own.load()
    certificate.write_text("nothing")
    assert own.renew() is False
    with pytest.raises(ConfigError, match=r"STIMME_CERTIFICATE .*own\.crt"):
        OwnersCertificate(str(certificate), str(key))
    assert isinstance(own.context, ssl.SSLContext)


def test_the_device_has_a_name_of_its_own_that_does_not_change(tmp_path: Path) -> None:
    serial = tmp_path / "serial"
    serial.write_text("10000000abcd1F3E\0")
    assert unique_name(serial) == "stimme-1f3e.local"
    machine = tmp_path / "machine-id"
    machine.write_text("0123456789abcdef0123456789abcdef\n")
    name = unique_name(tmp_path / "none", machine)
    assert name == unique_name(tmp_path / "none", machine) and "0123" not in name and len(name) == 17
    assert own_names(["Panel.Home.ARPA.", "192.168.1.1", "localhost"])[-1] == "panel.home.arpa"
