"""What any certificate needs to be shown over TLS, and the owner's own one. The device's own: certificates.py."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

from appliance.errors import ConfigError

log = logging.getLogger(__name__)


def server_context() -> ssl.SSLContext:
    """TLS 1.2 and 1.3, as a server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


class OwnersCertificate:
    """A certificate and key of the owner's own, read again when the files change. Raises ConfigError."""

    def __init__(self, certificate: str, key: str) -> None:
        self._files = (Path(certificate), Path(key))
        self.context = server_context()
        self._read_at = self._changed_at()
        self.load()

    def renew(self) -> bool:
        """True if the files have changed and make sense; `load` puts them to use."""
        changed_at = self._changed_at()
        if changed_at == self._read_at:
            return False
        self._read_at = changed_at
        try:
            self.load(server_context())
        except ConfigError as error:
            log.error("%s; the old certificate stays in use", error)
            return False
        return True

    def load(self, context: ssl.SSLContext | None = None) -> None:
        """New connections get it from now on."""
        certificate, key = self._files
        try:
            (context or self.context).load_cert_chain(certificate, key)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"STIMME_CERTIFICATE {certificate} with STIMME_CERTIFICATE_KEY {key} cannot be used: {error}. "
                "Expected a certificate with its chain, and its key without a password, both as PEM"
            ) from error

    def _changed_at(self) -> tuple[int, ...]:
        return tuple(file.stat().st_mtime_ns if file.exists() else 0 for file in self._files)
