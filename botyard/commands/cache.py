"""What can be rebuilt: look at it, remove it."""

from __future__ import annotations

from invoke.context import Context
from invoke.tasks import task

from botyard.commands.session import errors_as_lines, paths_for


@task
def show(c: Context) -> None:
    """Show what the cache holds and how large it is."""
    with errors_as_lines():
        from botyard.host.cache import sizes

        paths = paths_for("any")
        print(paths.cache)
        for name, size_bytes in sizes(paths.cache):
            print(f"{size_bytes / 1e6:9.1f} MB  {name}")


@task
def clean(c: Context) -> None:
    """Remove the cache: tools, base image, models. The next run builds them again."""
    with errors_as_lines():
        from botyard.host.cache import clean as remove

        print(f"removed {remove(paths_for('any').cache) / 1e6:.1f} MB")
