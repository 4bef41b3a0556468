"""What a run imports before its first task: checking every playbook of ours must not bring in what only tasks need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
# Each costs a twentieth of a second and more, or several megabytes.
HEAVY = ("docker", "kubernetes", "pytest", "requests", "rich", "ruamel", "socketio", "urllib3", "zstandard")

CHECK_ALL = """
import sys
from pathlib import Path
import msgspec
from botyard import modules
from botyard.commands import menu
from botyard.commands.session import Flags, read_target
from botyard.host.bot import load_bot
from botyard.playbook import list_tasks
from botyard.verify.conversations import load_conversations

menu()
root = Path(sys.argv[1])
target = read_target(Flags())
bot = load_bot(root, "tea")
load_conversations(bot.dir)
known = {name: "x" for name in ("root", "state", "cache", "run_dir", "recreate", "everything")}
files = sorted((root / "playbooks").glob("*.yml"))
lines = list_tasks(files, extra_vars={**known, "bot": {"name": bot.name}, "target": msgspec.to_builtins(target)},
                   target=target)
assert len(files) > 5 and len(lines) > 50, lines
for name in modules.MODULES:
    modules.load(name)
print(*sorted({module.split(".")[0] for module in sys.modules}))
"""


def test_checking_all_playbooks_imports_no_heavy_library() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHECK_ALL, ROOT], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    loaded = done.stdout.split()
    assert "botyard" in loaded
    assert "pydantic" in loaded
    assert [name for name in HEAVY if name in loaded] == []
