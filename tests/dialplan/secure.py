"""Certificates made for a test, and a played network that is spoken with over TLS, its audio encrypted."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from dialplan.carrier import SRTP
from dialplan.network import NetworkAsterisk


def make_authority(folder: Path) -> Path:
    """An authority of nobody's; its certificate, beside which its key lies."""
    folder.mkdir()
    _openssl(folder, "req", "-x509", *_KEY, "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Test")
    return folder / "ca.pem"


def make_certificate(folder: Path, host: str) -> tuple[Path, Path]:
    """A certificate for a host from the authority in the folder, and its key."""
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-addext", f"subjectAltName = {host}")
    _openssl(
        folder, "req", "-x509", *_KEY, "key.pem", "-out", "cert.pem", "-days", "2", "-subj", "/CN=x", *signed
    )
    return folder / "cert.pem", folder / "key.pem"


_KEY = ("-newkey", "rsa:2048", "-nodes", "-keyout")


def _openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecureNetwork(NetworkAsterisk):
    """A network that takes the facility's calls over TLS alone, and no audio in the clear."""

    tls_port: int
    certificate: Path
    key: Path

    @property
    def readable(self) -> tuple[Path, ...]:
        return (self.voicemail_wav, self.certificate, self.key)

    def render(self) -> dict[str, str]:
        files = NetworkAsterisk.render(self)
        secure = (
            f"\n[transport-tls]\ntype = transport\nprotocol = tls\nbind = 127.0.0.1:{self.tls_port}\n"
            f"cert_file = {self.certificate}\npriv_key_file = {self.key}\nmethod = tlsv1_2\n"
        )
        facility = "[facility](talking)\n"
        assert facility in files["pjsip.conf"]
        # as a carrier does that connects anew for the end of a call
        encrypted = f"{facility}media_encryption = sdes\ntransport = transport-tls\nrewrite_contact = no\n"
        return {
            **files,
            "pjsip.conf": files["pjsip.conf"].replace(facility, encrypted) + secure,
            "modules.conf": files["modules.conf"] + f"require = {SRTP}.so\n",
        }
