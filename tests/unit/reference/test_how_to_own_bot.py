"""What docs/how-to/own-bot.md shows is a bot: its files load, and its settings and conversations are taken."""

from __future__ import annotations

import re
from pathlib import Path

from botyard.host.bot import load_bot
from botyard.host.model import has_assistant_id
from botyard.verify.conversations import load_conversations

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/how-to/own-bot.md").read_text()
FILES = dict(re.findall(r"`([\w/]+\.yml)`[^\n]*\n\n```yaml\n(.*?)^```", PAGE, re.S | re.M))


def test_the_smallest_bot_of_the_page_is_one(tmp_path: Path) -> None:
    assert sorted(FILES) == ["bot.yml", "config.yml", "conversations.yml", "data/bot.yml", "domain.yml"]
    folder = tmp_path / "somewhere"
    (folder / "data").mkdir(parents=True)
    for name, text in FILES.items():
        (folder / name).write_text(text)
    bot = load_bot(ROOT, str(folder))
    assert (bot.name, bot.extra_apt, bot.extra_pip) == ("mybot", "libgomp1", "some-package==1.2.3")
    assert has_assistant_id(bot)
    greeting = load_conversations(folder)[0]
    assert greeting.name.startswith("greet")
    assert re.search(greeting.turns[0].expect, FILES["domain.yml"])
