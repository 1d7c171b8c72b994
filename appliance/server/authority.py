"""The device's certificate authority as others see it: to be compared, and to be installed on phones and computers."""

from __future__ import annotations

import hashlib
import plistlib
import uuid
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from appliance.server.words import WORDS

WORD_ROUNDS = 200_000
"""PBKDF2 rounds from fingerprint to words: four words are 28 bits, so that each guess at another authority with the
same words has to be dear."""


@dataclass(frozen=True)
class Authority:
    """The device's certificate authority, without its key."""

    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def fingerprint(self) -> str:
        """SHA-256, as systems show it when one installs a certificate: "AB:CD:…"."""
        return self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()

    def words(self) -> tuple[str, ...]:
        """The fingerprint as four words, for eyes and ears. Takes a tenth of a second."""
        digest = hashlib.pbkdf2_hmac("sha256", self.certificate.fingerprint(hashes.SHA256()), b"stimme", WORD_ROUNDS)
        return tuple(WORDS[byte % len(WORDS)] for byte in digest[:4])

    def apple_profile(self, name: str) -> bytes:
        """The certificate as a configuration profile, which is how iOS and macOS install one."""
        own = uuid.uuid5(uuid.NAMESPACE_DNS, self.fingerprint)
        payload = {
            "PayloadType": "com.apple.security.root",
            "PayloadVersion": 1,
            "PayloadIdentifier": f"local.stimme.{own}.ca",
            "PayloadUUID": str(uuid.uuid5(own, "ca")).upper(),
            "PayloadDisplayName": f"Stimme ({name})",
            "PayloadCertificateFileName": "stimme.crt",
            "PayloadContent": self.der,
        }
        return plistlib.dumps(
            {
                "PayloadType": "Configuration",
                "PayloadVersion": 1,
                "PayloadIdentifier": f"local.stimme.{own}",
                "PayloadUUID": str(own).upper(),
                "PayloadDisplayName": f"Stimme ({name})",
                "PayloadDescription": f"Lets this device open {name} without a warning, and nothing else.",
                "PayloadContent": [payload],
            }
        )


def stored_authority(directory: Path) -> Authority | None:
    """The authority kept in a directory, without its key; None if there is none."""
    try:
        return Authority(x509.load_pem_x509_certificate((directory / "authority.crt").read_bytes()))
    except (OSError, ValueError):
        return None
