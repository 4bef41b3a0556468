"""A private authority, as a company has one, and a certificate that it signs."""

from __future__ import annotations

import subprocess
from pathlib import Path


def issue(folder: Path, name: str) -> None:
    """Writes ca.crt, server.crt and server.key.

    Args:
        name: what the certificate is for, as DNS:bot.example or IP:10.0.0.1.
    """
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    _openssl(
        "req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=ours", cwd=folder
    )
    _openssl("req", *curve, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=there", cwd=folder)
    (folder / "names").write_text(f"subjectAltName={name}")
    signed = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"]
    _openssl("x509", "-req", "-in", "server.csr", *signed, "-out", "server.crt", cwd=folder)


def _openssl(*argv: str, cwd: Path) -> None:
    subprocess.run(["openssl", *argv], cwd=cwd, check=True, capture_output=True)
