"""Reading objects and comparing them."""

from __future__ import annotations

from pathlib import Path

import pytest

from botyard.contracts import BadInput
from botyard.release import desired

HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"


def test_yaml_is_read_as_kubernetes_reads_it() -> None:
    first, second = desired.load_documents(f"{HEAD}a: 0440\nb: 2026-01-02\nc: 1:30\nd: yes\n---\n{HEAD}a: 0440\n")
    assert first["a"] == second["a"] == 0o440
    assert (first["b"], first["c"], first["d"]) == ("2026-01-02", "1:30", True)


@pytest.mark.parametrize("unused", ["_LOADER", "_QUICK"])
def test_both_parsers_read_it_so(monkeypatch: pytest.MonkeyPatch, unused: str) -> None:
    """What is right never meets the slow one; the quick one is left out where libyaml is missing."""
    monkeypatch.setattr(desired, unused, None)
    monkeypatch.setattr("botyard.yaml11.libyaml_may_read", lambda text: unused == "_LOADER")
    test_yaml_is_read_as_kubernetes_reads_it()


def test_lists_are_opened_and_empty_documents_left_out() -> None:
    item = '{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "y"}}'
    found = desired.load_documents(f'---\n---\n{{"apiVersion": "v1", "kind": "List", "items": [{item}]}}')
    assert [desired.shown(body) for body in found] == ["Secret/y"]


def test_bad_yaml_is_refused_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "objects.yaml"
    file.write_text("kind: a\n  b: c\n")
    with pytest.raises(BadInput, match=r"objects\.yaml:2:4: not valid YAML"):
        desired.load_documents(file)


def test_a_document_that_is_no_object_is_refused() -> None:
    with pytest.raises(BadInput, match="object 1 needs apiVersion, kind and metadata"):
        desired.load_documents("kind: ConfigMap\n")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no such file"):
        desired.load_documents(tmp_path / "none.yaml")


def test_what_the_server_counts_is_not_compared() -> None:
    live = {
        "metadata": {"name": "x", "labels": {"a": "b"}, "uid": "1", "resourceVersion": "2", "generation": 3,
                     "managedFields": [{}], "creationTimestamp": "now"},
        "spec": {"replicas": 1},
        "status": {"replicas": 1},
    }  # fmt: skip
    assert desired.comparable(live) == {"metadata": {"name": "x", "labels": {"a": "b"}}, "spec": {"replicas": 1}}
    assert "status" in live, "the original stays whole"


def test_a_diff_never_shows_the_values_of_a_secret() -> None:
    text = desired.as_text({"kind": "Secret", "data": {"token": "c2VjcmV0"}, "stringData": {"other": "secret"}})
    assert "c2VjcmV0" not in text
    assert '"secret"' not in text
    assert '"token": "***"' in text


def test_nor_those_that_kubectl_keeps_in_an_annotation() -> None:
    note = {"kubectl.kubernetes.io/last-applied-configuration": '{"data": {"token": "c2VjcmV0"}}', "team": "tea"}
    text = desired.as_text({"kind": "Secret", "metadata": {"name": "s", "annotations": note}})
    assert "c2VjcmV0" not in text and "tea" in text


def test_secret_values_are_those_of_secrets_alone_as_written_and_decoded() -> None:
    body = {"kind": "Secret", "data": {"a": "c2VjcmV0", "bad": "no base64!"}, "stringData": {"b": "other"}}
    assert desired.secret_values(body) == ["other", "c2VjcmV0", "secret", "no base64!"]
    assert desired.secret_values(body | {"kind": "ConfigMap"}) == []
