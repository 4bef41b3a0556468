"""Canaries in every place where k8s and helm meet a secret, with --diff; then every byte written is searched."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from kit import LIVE, Kit
from rows import a_chart

PLAIN = "in-plain-sight"  # is no secret: it must be seen, else the search proves nothing
CANARIES = {
    name: f"canary-{number:02}-zq7x"
    for number, name in enumerate(
        ["k8s_old", "k8s_new", "k8s_data", "helm_old", "helm_new", "in_a_file", "in_an_env", "in_a_url", "no_log",
         "no_log_values", "refused", "unpulled", "killed_by_schema"], start=1
    )
}  # fmt: skip
TASKS = """
- name: a Secret with {{ plain }}
  kubernetes.core.k8s:
    namespace: "{{ ns }}"
    definition:
      apiVersion: v1
      kind: Secret
      metadata: {name: planted, labels: {shown: "{{ plain }}"}}
      data: {token: "{{ k8s_data | b64encode }}"}
      stringData: {password: "{{ k8s_new if again else k8s_old }}"}
  register: secret
- ansible.builtin.debug: {var: secret}
- name: a Secret that the server refuses
  kubernetes.core.k8s:
    namespace: "{{ ns }}"
    definition:
      apiVersion: v1
      kind: Secret
      metadata: {name: "not a name {{ refused }}"}
      stringData: {password: "{{ refused }}"}
  ignore_errors: true
- name: a ConfigMap under no_log
  kubernetes.core.k8s:
    namespace: "{{ ns }}"
    definition: {apiVersion: v1, kind: ConfigMap, metadata: {name: hidden}, data: {any: "{{ no_log }}{{ again }}"}}
  no_log: true
- name: a release
  kubernetes.core.helm:
    name: planted
    namespace: "{{ ns }}"
    chart_ref: "{{ work }}/chart"
    binary_path: "{{ binary }}"
    values_files: ["{{ work }}/values.yaml"]
    release_values:
      image: "{{ image }}"
      replicas: 0
      password: "{{ helm_new if again else helm_old }}"
      env: [{name: DB_PASSWORD, value: "{{ in_an_env }}"}]
      url: "postgresql://me:{{ in_a_url }}@db/x"
      size: "{{ plain }}{{ again }}"
  register: released
- ansible.builtin.debug: {var: released}
- name: a release under no_log
  kubernetes.core.helm:
    name: unseen
    namespace: "{{ ns }}"
    chart_ref: "{{ work }}/chart"
    binary_path: "{{ binary }}"
    release_values: {size: "{{ no_log_values }}{{ again }}"}
  no_log: true
- name: a release whose chart refuses its values and says which
  kubernetes.core.helm:
    name: refused
    namespace: "{{ ns }}"
    chart_ref: "{{ work }}/refuses"
    binary_path: "{{ binary }}"
    release_values: {password: "{{ killed_by_schema }}"}
  ignore_errors: true
- name: a release that cannot be pulled, with a secret in the pod
  kubernetes.core.helm:
    name: unpulled-{{ 1 if again else 0 }}
    namespace: "{{ ns }}"
    chart_ref: "{{ work }}/chart"
    binary_path: "{{ binary }}"
    release_values: {image: "{{ no_image }}", password: "{{ unpulled }}"}
    wait: true
    wait_timeout: 5s
  ignore_errors: true
- name: away with the Secret
  kubernetes.core.k8s: {state: absent, kind: Secret, name: planted, namespace: "{{ ns }}"}
  when: again
"""
CLEAN = """
- kubernetes.core.helm: {name: "{{ item }}", namespace: "{{ ns }}", state: absent}
  loop: [planted, unseen, unpulled-0, unpulled-1]
"""


def traces(canary: str) -> Iterator[bytes]:
    """As it is, and as base64 wherever in a longer text it starts."""
    data = canary.encode()
    yield data
    for lead in range(3):
        every = base64.b64encode(bytes(lead) + data)
        yield every[-(-lead * 8 // 6) : (lead + len(data)) * 8 // 6]


@pytest.mark.parametrize(("console", "with_helm_3"), [("plain", True), ("rich", False)], ids=["plain", "rich"])
def test_no_canary_is_in_any_byte_written(kit: Kit, work: Path, console: str, with_helm_3: bool) -> None:
    binary = kit.helm_3() if with_helm_3 else ""
    a_chart(kit, work)
    (work / "values.yaml").write_text(
        f"slack_token: {CANARIES['in_a_file']}\nnested: {{apiKey: {CANARIES['in_a_file']}}}\n"
    )
    _a_chart_that_refuses(kit, work)
    variables = {**CANARIES, "plain": PLAIN, "work": str(work), "binary": binary,
                 "no_image": f"localhost:{LIVE.ports.registry}/botyard/nothing:1"}  # fmt: skip
    try:
        passes = [(True, False), (False, False), (True, True), (False, True)]
        for check, again in passes if console == "plain" else [one for one in passes if not one[0]]:
            ran = kit.play(TASKS, check=check, diff=True, console=console, again=again, **variables)
            assert ran.exit_code == 0, ran.out
            files = dict(ran.written())
            assert {"console", "events.jsonl", "report.json", "report.html", "junit.xml"} <= set(files)
            files |= {
                f"evidence {f.name}": f.read_bytes() for f in (kit.state / "diagnostics").rglob("*") if f.is_file()
            }
            for where, content in files.items():
                found = [name for name, canary in CANARIES.items() if any(t in content for t in traces(canary))]
                assert not found, f"{where} (check {check}, again {again}) shows {found}"
            for where in ("console", "report.json", "report.html"):
                assert PLAIN.encode() in files[where], f"{where} shows no diff at all"
            statuses = {task.name: task.status for task in ran.report.tasks}
            assert statuses["a release whose chart refuses its values and says which"] == "ignored"
            assert statuses["a Secret that the server refuses"] == ("changed" if check else "ignored")
    finally:
        kit.play(CLEAN)


def _a_chart_that_refuses(kit: Kit, work: Path) -> None:
    a_chart(kit, work)
    chart = work / "refuses"
    (work / "chart").rename(chart)
    (chart / "templates" / "no.yaml").write_text('{{ fail (printf "the password %s is bad" .Values.password) }}\n')
    a_chart(kit, work)
