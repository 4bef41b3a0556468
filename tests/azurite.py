"""Azure Blob Storage, played by Azurite (Microsoft's own, from npm) on an address of this machine."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

VERSION = "3.37.0"
# The account that every Azurite has, published by Microsoft; no secret.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def connection(address: str, key: str = KEY) -> str:
    """What AZURE_STORAGE_CONNECTION_STRING says."""
    return f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={key};BlobEndpoint={address};"


@contextmanager
def served(data: Path, host: str = "127.0.0.1", container: str = "models") -> Iterator[str]:
    """Its address, with one empty container; needs npm where it has not been installed yet, and adlfs."""
    folder = Path(platformdirs.user_cache_dir("botyard")) / "azurite" / VERSION
    program = folder / "node_modules/.bin/azurite-blob"
    if not program.exists():
        npm = ["npm", "install", "--no-audit", "--no-fund", "--prefix", folder, f"azurite@{VERSION}"]
        subprocess.run(npm, check=True, timeout=600)
    with socket.socket() as free:
        free.bind((host, 0))
        port = int(free.getsockname()[1])
    run = [
        program,
        "--location",
        data,
        "--blobHost",
        host,
        "--blobPort",
        str(port),
        "--silent",
        "--skipApiVersionCheck",
    ]
    with subprocess.Popen(run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as azurite:
        try:
            for _ in range(100):
                with socket.socket() as asked:
                    if asked.connect_ex((host, port)) == 0:
                        break
                assert azurite.poll() is None
                time.sleep(0.2)
            address = f"http://{host}:{port}/{ACCOUNT}"
            import adlfs

            adlfs.AzureBlobFileSystem(connection_string=connection(address)).mkdir(container)
            yield address
        finally:
            azurite.terminate()
