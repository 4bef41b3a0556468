"""ansible.builtin.template: a file made from a Jinja2 template."""

from __future__ import annotations

from dataclasses import dataclass

from botyard.contracts import BotyardError, Context, Result
from botyard.modules.builtin_files import WRITTEN, did_you_mean, mode_of, put, under
from botyard.modules.spec import arg

NAME = "ansible.builtin.template"
RETURNS = WRITTEN
EXAMPLE = """\
- name: A greeting made from greeting.txt.j2
  ansible.builtin.template:
    src: greeting.txt.j2
    dest: greeting.txt
  vars: {who: world}
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    src: str = arg("the template; a relative path starts at the playbook's folder or its templates/")
    dest: str = arg("where to; a folder takes the template's name without .j2")
    mode: str | int | None = arg('octal permissions as text, "0644"', None)
    force: bool = arg("replace a file that differs", True)
    backup: bool = arg("keep the replaced file beside the new one", False)


def run(args: Args, ctx: Context) -> Result:
    """Compares by content and mode; check mode writes nothing and says whether it would."""
    places = [under(ctx.basedir / "templates", args.src), under(ctx.basedir, args.src)]
    source = next((place for place in places if place.is_file()), None)
    if source is None:
        raise BotyardError(f"no such template: {places[1]}", did_you_mean(places[1]) or did_you_mean(places[0]))
    dest = under(ctx.basedir, args.dest)
    if args.dest.endswith("/") or dest.is_dir():
        dest = dest / source.name.removesuffix(".j2")
    if not args.force and dest.exists():
        return Result(data={"dest": str(dest)}, msg="exists, and force is false")
    return put(dest, ctx.render_file(source).encode(), ctx, mode=mode_of(args.mode), backup=args.backup)
