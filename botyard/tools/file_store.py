"""Files behind a URL, whatever kind of store that is: Azure Blob Storage, S3, Google Cloud Storage. By fsspec.

Who may write there is told by the environment, as each store's own tools have it (for Azure:
AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT_NAME and who is logged in); never by an argument of ours.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botyard.contracts import BadInput, BotyardError
from botyard.later import later

fsspec = later("fsspec")

_CHUNK = 1 << 20
_NEEDS = {"az": "adlfs", "abfs": "adlfs", "abfss": "adlfs", "s3": "s3fs", "gs": "gcsfs"}


@dataclass(frozen=True)
class Place:
    """A folder in a store.

    Args:
        url: as az://CONTAINER/FOLDER.
    """

    url: str

    def holds(self, name: str, sha256: str) -> bool:
        """Whether a file of that name is there, whole and with that content. Its checksum lies beside it.

        Raises:
            BadInput, BotyardError: no such kind of store, or it refuses.
        """
        with _told(self.url):
            system, path = self._open(name)
            return bool(system.exists(path) and system.exists(_beside(path)) and _read(system, path) == sha256)

    def put(self, src: Path, name: str, sha256: str, progress: Callable[[str], None]) -> None:
        """Uploads a file and reads it back; the checksum beside it goes last, so what is not whole never counts.

        Raises:
            BadInput, BotyardError: no such kind of store, it refuses, or it holds something else afterwards.
        """
        with _told(self.url):
            system, path = self._open(name)
            progress(f"{src.name} to {self.url}, {src.stat().st_size / 1e6:.1f} MB")
            system.put_file(str(src), path)
            digest = hashlib.sha256()
            with system.open(path, "rb") as stream:
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
            if digest.hexdigest() != sha256:
                raise BotyardError(f"{name} arrived in {self.url} as other content", "run it again")
            system.pipe_file(_beside(path), f"{sha256}\n".encode())

    def signed(self, name: str, days: int) -> str:
        """A URL by which anyone can read that file for so long.

        Raises:
            BadInput, BotyardError: the store signs none, or not for so long.
        """
        with _told(self.url):
            system, path = self._open(name)
            try:
                return str(system.sign(path, expiration=days * 86400))
            except NotImplementedError:
                raise BadInput(
                    f"{self.url}: this kind of store signs no URL", "give model_store.read, where pods fetch it"
                ) from None

    def _open(self, name: str) -> tuple[Any, str]:
        # Not one of fsspec's own memory: the environment may name another account by now.
        system, path = fsspec.url_to_fs(f"{self.url.rstrip('/')}/{name}", skip_instance_cache=True)
        return system, str(path)


def _beside(path: str) -> str:
    return f"{path}.sha256"


def _read(system: Any, path: str) -> str:
    return bytes(system.cat_file(_beside(path))).decode("ascii", "replace").strip()


@contextlib.contextmanager
def _told(url: str) -> Iterator[None]:
    """The stores' libraries share no exception, so what is raised inside is told by its first line."""
    kind = url.partition("://")[0]
    try:
        yield
    except (BadInput, BotyardError):
        raise
    except ImportError:
        need = _NEEDS.get(kind, f"fsspec and what it needs for {kind}")
        raise BadInput(f"{url}: this Python has no {need}", f"pip install {need}") from None
    except Exception as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise BotyardError(
            f"{url}: {said}",
            "look whether the container is there, and whether the environment says who you are "
            "(for az: AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT_NAME and a login)",
        ) from error
