"""What each filter and test of ``playbook/filters.py`` means, with an example that a test works out."""

from __future__ import annotations

from typing import Any, NamedTuple


class About(NamedTuple):
    """One filter or test: its meaning, an expression, and what that gives."""

    meaning: str
    example: str
    gives: Any


FILTER: dict[str, About] = {
    "b64decode": About("text out of base64", "'aGk=' | b64decode", "hi"),
    "b64encode": About("text as base64", "'hi' | b64encode", "aGk="),
    "basename": About("the last part of a path", "'/a/b.txt' | basename", "b.txt"),
    "bool": About("true or false out of a word such as yes, on or 1", "'yes' | bool", True),
    "combine": About(
        "mappings in one, later ones win; with recursive=True those inside, too",
        "{'a': {'x': 1}} | combine({'a': {'y': 2}}, recursive=True)",
        {"a": {"x": 1, "y": 2}},
    ),
    "dict2items": About("a mapping as a list of key and value", "{'a': 1} | dict2items", [{"key": "a", "value": 1}]),
    "difference": About("what is in the first list alone, each once", "[1, 2, 2] | difference([1])", [2]),
    "dirname": About("a path without its last part", "'/a/b.txt' | dirname", "/a"),
    "expanduser": About("a path with ~ written out", "'/a' | expanduser", "/a"),
    "flatten": About(
        "lists inside a list as one; levels=1 opens the outermost alone", "[1, [2, [3]]] | flatten", [1, 2, 3]
    ),
    "from_json": About("what a text of JSON says", "'[1, 2]' | from_json", [1, 2]),
    "from_yaml": About("what a text of YAML says", "'a: 1' | from_yaml", {"a": 1}),
    "hash": About(
        "a checksum by the name of its kind; sha1 where none is given",
        "'a' | hash('md5')",
        "0cc175b9c0f1b6a831c399e269772661",
    ),
    "intersect": About("what is in both lists, each once", "[1, 2] | intersect([2, 3])", [2]),
    "items2dict": About("the other way round of dict2items", "[{'key': 'a', 'value': 1}] | items2dict", {"a": 1}),
    "mandatory": About("the value, and an error where it is undefined", "1 | mandatory", 1),
    "product": About("each item of one list with each of the other", "[1, 2] | product([3])", [[1, 3], [2, 3]]),
    "quote": About("text as a shell takes it for one word", "'a b' | quote", "'a b'"),
    "realpath": About("a path with links followed and .. resolved", "'/a/../b' | realpath", "/b"),
    "regex_escape": About("text with what is special in a pattern escaped", "'a.b' | regex_escape", "a\\.b"),
    "regex_findall": About("all that a pattern finds", "'a1b2' | regex_findall('[0-9]')", ["1", "2"]),
    "regex_replace": About("text with what a pattern finds replaced", "'a-b' | regex_replace('-', '_')", "a_b"),
    "regex_search": About("what a pattern finds first, or nothing", "'v1.2' | regex_search('[0-9.]+')", "1.2"),
    "sha1": About("a checksum", "'a' | sha1", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
    "split": About("a text cut at a word, or at blanks", "'a,b' | split(',')", ["a", "b"]),
    "splitext": About("a path cut before its ending", "'a.txt' | splitext", ["a", ".txt"]),
    "ternary": About("one value where it is true, the other where not", "true | ternary('yes', 'no')", "yes"),
    "to_json": About("anything as JSON", "{'a': 1} | to_json", '{"a": 1}'),
    "to_nice_json": About("the same over several lines", "[1] | to_nice_json", "[\n    1\n]"),
    "to_nice_yaml": About("anything as YAML, a value a line", "{'a': [1]} | to_nice_yaml", "a:\n- 1\n"),
    "to_yaml": About("the same, shorter", "{'a': 1} | to_yaml", "{a: 1}\n"),
    "type_debug": About("what kind of value it is, for looking for a fault", "[1] | type_debug", "list"),
    "union": About("what is in one of two lists, each once", "[1, 2] | union([2, 3])", [1, 2, 3]),
    "zip": About("first with first, second with second", "[1, 2] | zip(['a', 'b'])", [[1, "a"], [2, "b"]]),
}

_RESULT = "{'changed': true, 'failed': false, 'skipped': false}"
TEST: dict[str, About] = {
    "changed": About("of a registered result: something was changed", f"{_RESULT} is changed", True),
    "contains": About("a list has that item, a text that part", "[1, 2] is contains(2)", True),
    "directory": About("there is such a folder", "'/' is directory", True),
    "exists": About("there is such a file or folder", "'/' is exists", True),
    "failed": About("of a registered result: the task failed", f"{_RESULT} is failed", False),
    "failure": About("the same as failed", f"{_RESULT} is failure", False),
    "falsy": About("empty, 0, false or nothing", "'' is falsy", True),
    "file": About("there is such a file", "'/' is file", False),
    "match": About("a text begins with a pattern", "'v1.2' is match('v[0-9]')", True),
    "regex": About("a pattern is found in a text", "'v1.2' is regex('[0-9]')", True),
    "search": About("the same as regex", "'v1.2' is search('[0-9]')", True),
    "skipped": About("of a registered result: the task was left out", f"{_RESULT} is skipped", False),
    "subset": About("all items are in the other list", "[1] is subset([1, 2])", True),
    "succeeded": About("of a registered result: the task did not fail", f"{_RESULT} is succeeded", True),
    "success": About("the same as succeeded", f"{_RESULT} is success", True),
    "successful": About("the same as succeeded", f"{_RESULT} is successful", True),
    "superset": About("the list has all items of the other", "[1, 2] is superset([1])", True),
    "truthy": About("not falsy", "'a' is truthy", True),
    "version": About("two versions compared", "'v1.10' is version('1.9', '>')", True),
}
