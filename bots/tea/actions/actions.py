"""What the tea shop does. Every reply comes in the user's language; its words are in domain.yml."""

from __future__ import annotations

import os
import re
import socket
import zlib
from typing import Any, Dict, List, Optional, Text

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

CJK = re.compile(r"[\u4e00-\u9fff]")
LATIN = re.compile(r"[A-Za-z]")
# The form's values as entities give them (see the synonyms in data/nlu.yml) -> (English, Chinese).
KINDS = {
    "green": ("green tea", "绿茶"),
    "black": ("black tea", "红茶"),
    "oolong": ("oolong tea", "乌龙茶"),
    "jasmine": ("jasmine tea", "茉莉花茶"),
    "milk": ("milk tea", "奶茶"),
}
SIZES = {"small": ("small", "小杯"), "medium": ("medium", "中杯"), "large": ("large", "大杯")}
SWEETNESS = {"none": ("no sugar", "无糖"), "half": ("half sugar", "半糖"), "full": ("full sugar", "全糖")}
STATUS = [("received", "已收到"), ("being brewed", "正在泡制"), ("ready", "已做好")]


def language(tracker: Tracker) -> Text:
    """``zh`` or ``en``: of the last message, or of the last one that has letters at all ("2" has none)."""
    texts = [event.get("text") for event in reversed(tracker.events) if event.get("event") == "user"]
    for text in [tracker.latest_message.get("text"), *texts]:
        if text and CJK.search(text):
            return "zh"
        if text and LATIN.search(text):
            return "en"
    return "en"


def say(dispatcher: CollectingDispatcher, tracker: Tracker, reply: Text, **values: Any) -> None:
    """Utters ``utter_<reply>_<language>`` of domain.yml."""
    dispatcher.utter_message(response=f"utter_{reply}_{language(tracker)}", **values)


def order_text(order: Dict[Text, Any], lang: Text) -> Text:
    """``large green tea, half sugar`` or ``大杯绿茶（半糖）``."""
    column = 1 if lang == "zh" else 0

    def word(table: Dict[Text, Any], key: Text) -> Text:
        return table.get(key, (key, key))[column]

    size, kind = word(SIZES, str(order["size"])), word(KINDS, str(order["kind"]))
    sugar = word(SWEETNESS, str(order["sweetness"]))
    return f"{size}{kind}（{sugar}）" if lang == "zh" else f"{size} {kind}, {sugar}"


def after_comma(tracker: Tracker) -> Text:
    """The remembered name with the comma before it, or nothing."""
    name = tracker.get_slot("name")
    if not name:
        return ""
    return f"，{name}" if language(tracker) == "zh" else f", {name}"


class ActionGreet(Action):
    """Greets, by name where it is known, and says which pod and node answered."""

    def name(self) -> Text:
        return "action_greet"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Dict[Text, Any]) -> List[EventType]:
        pod = os.environ.get("HOSTNAME") or socket.gethostname()
        node = os.environ.get("NODE_NAME", "a node that did not tell its name")
        say(dispatcher, tracker, "greet", who=after_comma(tracker), pod=pod, node=node)
        return []


class ActionRememberName(Action):
    """Keeps the user's name for the rest of the conversation."""

    def name(self) -> Text:
        return "action_remember_name"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Dict[Text, Any]) -> List[EventType]:
        name: Optional[Text] = next(tracker.get_latest_entity_values("name"), None)
        if not name:
            say(dispatcher, tracker, "which_name")
            return []
        say(dispatcher, tracker, "remember_name", who=name)
        return [SlotSet("name", name)]


class ActionTellName(Action):
    """Says the name that was remembered."""

    def name(self) -> Text:
        return "action_tell_name"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Dict[Text, Any]) -> List[EventType]:
        name = tracker.get_slot("name")
        if name:
            say(dispatcher, tracker, "tell_name", who=name)
        else:
            say(dispatcher, tracker, "which_name")
        return []


class ActionPlaceOrder(Action):
    """Takes the filled form as an order, gives it a number and empties the form for the next one."""

    def name(self) -> Text:
        return "action_place_order"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Dict[Text, Any]) -> List[EventType]:
        seed = f"{tracker.sender_id} {len(tracker.events)}"
        order = {
            "number": 1000 + zlib.crc32(seed.encode()) % 9000,
            "kind": tracker.get_slot("tea_kind"),
            "size": tracker.get_slot("tea_size"),
            "sweetness": tracker.get_slot("sweetness"),
        }
        text = order_text(order, language(tracker))
        say(dispatcher, tracker, "place_order", number=order["number"], order=text, who=after_comma(tracker))
        emptied = [SlotSet(slot, None) for slot in ("tea_kind", "tea_size", "sweetness")]
        return [SlotSet("last_order", order), *emptied]


class ActionOrderStatus(Action):
    """Tells how far an order is: the one whose number was given, or else the user's last one."""

    def name(self) -> Text:
        return "action_order_status"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Dict[Text, Any]) -> List[EventType]:
        last: Dict[Text, Any] = tracker.get_slot("last_order") or {}
        asked = next(tracker.get_latest_entity_values("order_number"), None)
        number = int(asked) if asked else last.get("number")
        if not number:
            say(dispatcher, tracker, "no_order")
            return []
        lang = language(tracker)
        what = order_text(last, lang) if last.get("number") == number else ""
        if what:
            what = f"：{what}，" if lang == "zh" else f" ({what})"
        elif lang == "zh":
            what = " "
        status = STATUS[number % len(STATUS)][1 if lang == "zh" else 0]  # a stand-in for the shop's own system
        say(dispatcher, tracker, "order_status", number=number, order=what, status=status)
        return []


class ActionReply(Action):
    """Says the reply that belongs to the intent alone."""

    def name(self) -> Text:
        return "action_reply"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Dict[Text, Any]) -> List[EventType]:
        intent = (tracker.latest_message.get("intent") or {}).get("name")
        known = intent in {"goodbye", "thanks", "help", "stop"}
        say(dispatcher, tracker, intent if known else "fallback")
        if intent == "stop":
            return [SlotSet(slot, None) for slot in ("tea_kind", "tea_size", "sweetness")]
        return []


class ActionAskTeaKind(Action):
    """The form's question for the kind of tea."""

    def name(self) -> Text:
        return "action_ask_tea_kind"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Dict[Text, Any]) -> List[EventType]:
        say(dispatcher, tracker, "ask_tea_kind")
        return []


class ActionAskTeaSize(Action):
    """The form's question for the size."""

    def name(self) -> Text:
        return "action_ask_tea_size"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Dict[Text, Any]) -> List[EventType]:
        say(dispatcher, tracker, "ask_tea_size")
        return []


class ActionAskSweetness(Action):
    """The form's question for the sugar."""

    def name(self) -> Text:
        return "action_ask_sweetness"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Dict[Text, Any]) -> List[EventType]:
        say(dispatcher, tracker, "ask_sweetness")
        return []
