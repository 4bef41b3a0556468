"""What can be rebuilt: look at it, remove it."""

from __future__ import annotations

from invoke.context import Context
from invoke.tasks import task

from botyard.commands.locks import one_run_at_a_time
from botyard.commands.session import paths_for
from botyard.commands.streams import errors_as_lines


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

        with one_run_at_a_time("any", all_clusters=True):
            removed = remove(paths_for("any").cache)
        print(f"removed {removed / 1e6:.1f} MB")
