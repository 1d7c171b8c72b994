"""The device's own certificate authority and the certificate it shows, made at the first start and renewed in place.

Browsers give a page the microphone only over HTTPS (or on localhost). Whoever installs this device's authority once has
HTTPS without warnings; name constraints (RFC 5280, 4.2.1.10; critical) keep it from vouching for anything but this
device's names and private addresses, so a stolen device can pretend to be nobody else.
"""

from __future__ import annotations

import ipaddress
import logging
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.server.authority import Authority
from appliance.server.names import Address
from appliance.server.shown import server_context

log = logging.getLogger(__name__)

AUTHORITY_LASTS = timedelta(days=3652)
LASTS = timedelta(days=397)
"""The longest that browsers take from public authorities; Apple takes 825 days from private ones."""
RENEWED_BEFORE = timedelta(days=30)
CLOCKS_DIFFER = timedelta(days=1)
"""So long before it is made a certificate is valid already: a Pi has no clock of its own."""

PRIVATE_NETWORKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10")
_NETWORKS = tuple(ipaddress.ip_network(network) for network in PRIVATE_NETWORKS)


class Certificates:
    """Keeps what is shown to browsers valid. directory: for keys (0600) and certificates.

    names, addresses: asked again at every look, as they change. ever: further names that a new authority may vouch for.
    clock: the time, aware.
    """

    def __init__(
        self,
        directory: Path,
        names: Callable[[], Sequence[str]],
        addresses: Callable[[], Sequence[Address]],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        ever: Sequence[str] = (),
    ) -> None:
        self._directory, self._names, self._addresses, self._clock = directory, names, addresses, clock
        self._ever = tuple(ever)
        self._authority_key, certificate = self._authority()
        self.authority = Authority(certificate)
        self.context = server_context()
        """Renewed in place: connections that are open keep theirs."""
        self._shown: x509.Certificate | None = self._stored("server")
        self.renew()
        self.load()

    def renew(self) -> bool:
        """Make a new certificate if the present one ends soon, or names and addresses have changed; True if so.

        Writes files; `load` puts it to use.
        """
        wanted = self._wanted()
        if self._shown is not None and self._is_good(self._shown, wanted):
            return False
        key = ec.generate_private_key(ec.SECP256R1())
        self._shown = self._issued(key, wanted)
        _write(self._path("server.key"), _pem(key))
        _write(self._path("server.crt"), self._shown.public_bytes(serialization.Encoding.PEM))
        log.info(
            "a new certificate for %s, valid until %s",
            ", ".join(str(name.value) for name in wanted),
            self._shown.not_valid_after_utc.date(),
        )
        return True

    @property
    def names(self) -> tuple[str, ...]:
        """What the present certificate is for."""
        assert self._shown is not None, "there is one from the start"
        return tuple(str(name.value) for name in _subjects(self._shown))

    def load(self) -> None:
        """New connections get it from now on."""
        self.context.load_cert_chain(self._path("server.crt"), self._path("server.key"))

    def _path(self, name: str) -> Path:
        return self._directory / name

    # The authority

    def _authority(self) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        """The one of this device, made at the first start, or when the old one is damaged or has come to its end."""
        found, now = self._stored("authority"), self._clock()
        try:
            key = serialization.load_pem_private_key(self._path("authority.key").read_bytes(), None)
        except FileNotFoundError:
            key = None
        except (OSError, ValueError, TypeError) as error:
            log.error(
                "%s cannot be read (%s): a new authority is made, browsers must trust it anew",
                self._path("authority.key"),
                error,
            )
            key = None
        if (
            found is not None
            and isinstance(key, ec.EllipticCurvePrivateKey)
            and key.public_key() == found.public_key()
            and found.not_valid_after_utc - LASTS > now
        ):
            return key, found
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = ec.generate_private_key(ec.SECP256R1())
        certificate = self._new_authority(made, now)
        _write(self._path("authority.key"), _pem(made))
        _write(self._path("authority.crt"), certificate.public_bytes(serialization.Encoding.PEM))
        return made, certificate

    def _new_authority(self, key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
        names = self._names()
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, f"Stimme {names[0]}"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Stimme"),
            ]
        )
        permitted: list[x509.GeneralName] = [x509.DNSName(name) for name in dict.fromkeys((*names, *self._ever))]
        permitted += [x509.IPAddress(network) for network in _NETWORKS]
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - CLOCKS_DIFFER)
            .not_valid_after(now + AUTHORITY_LASTS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(certificates=True), critical=True)
            .add_extension(x509.NameConstraints(permitted, excluded_subtrees=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )

    # What is shown

    def _wanted(self) -> list[x509.GeneralName]:
        """Names and addresses that the authority may vouch for."""
        constraints = self.authority.certificate.extensions.get_extension_for_class(x509.NameConstraints).value
        allowed = {name.value for name in constraints.permitted_subtrees or () if isinstance(name, x509.DNSName)}
        names = self._names()
        if outside := [name for name in names if name not in allowed]:
            log.warning(
                "the certificate cannot be for %s, which the authority was not made for; "
                "removing %s makes a new one, which browsers must trust anew",
                ", ".join(outside),
                self._path("authority.key"),
            )
        addresses = [address for address in self._addresses() if any(address in network for network in _NETWORKS)]
        return [*(x509.DNSName(name) for name in names if name in allowed), *(x509.IPAddress(one) for one in addresses)]

    def _is_good(self, shown: x509.Certificate, wanted: Sequence[x509.GeneralName]) -> bool:
        now = self._clock()
        if not shown.not_valid_before_utc <= now < shown.not_valid_after_utc - RENEWED_BEFORE:
            return False
        try:
            shown.verify_directly_issued_by(self.authority.certificate)
            key = serialization.load_pem_private_key(self._path("server.key").read_bytes(), None)
        except Exception as error:  # whatever is wrong with it: a new one is made
            log.warning("the stored certificate is not used: %s", error)
            return False
        return key.public_key() == shown.public_key() and set(_subjects(shown)) == set(wanted)

    def _issued(self, key: ec.EllipticCurvePrivateKey, wanted: Sequence[x509.GeneralName]) -> x509.Certificate:
        now, authority = self._clock(), self.authority.certificate
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, str(wanted[0].value))]))
            .issuer_name(authority.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - CLOCKS_DIFFER)
            .not_valid_after(now - CLOCKS_DIFFER + LASTS)
            .add_extension(x509.SubjectAlternativeName(wanted), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False)  # type: ignore[arg-type]
            .sign(self._authority_key, hashes.SHA256())
        )

    def _stored(self, name: str) -> x509.Certificate | None:
        path = self._path(f"{name}.crt")
        try:
            return x509.load_pem_x509_certificate(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            log.error("%s cannot be read (%s) and is made anew", path, error)
            return None


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        key_cert_sign=certificates,
        crl_sign=certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _subjects(certificate: x509.Certificate) -> list[x509.GeneralName]:
    return list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, and for nobody else's eyes."""
    new = path.with_suffix(f"{path.suffix}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
