"""What is said about pods that are not Ready."""

from __future__ import annotations

from typing import Any, cast

from botyard.release import pods


def pod(name: str = "myrasa-1", node: str | None = "worker", **status: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"nodeName": node}, "status": {"phase": "Pending", **status}}


def ready(name: str) -> dict[str, Any]:
    return pod(name, conditions=[{"type": "Ready", "status": "True"}])


def test_an_unschedulable_pod_gives_the_schedulers_reason() -> None:
    held = pod(
        node=None,
        conditions=[
            {
                "type": "PodScheduled",
                "status": "False",
                "reason": "Unschedulable",
                "message": "0/4 nodes are available:\n  3 node(s) didn't match pod anti-affinity rules. "
                "no new claims to deallocate, preemption: 0/4 nodes are available: 3 No preemption victims found.",
            }
        ],
    )
    assert pods.blocker(held) == (
        "myrasa-1: Unschedulable: 0/4 nodes are available: 3 node(s) didn't match pod anti-affinity rules"
    )


def test_an_image_that_cannot_be_pulled_is_named() -> None:
    held = pod(
        containerStatuses=[
            {"name": "rasa-oss", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "manifest unknown"}}}
        ]
    )
    assert pods.blocker(held) == "myrasa-1 on worker: rasa-oss: ImagePullBackOff: manifest unknown"


def test_digests_are_cut_so_that_the_reason_fits() -> None:
    waiting = {"reason": "ErrImagePull", "message": f"x@sha256:{'a' * 64}: not found"}
    text = pods.blocker(pod(containerStatuses=[{"name": "c", "state": {"waiting": waiting}}]))
    assert text.endswith("ErrImagePull: x@sha256:aaaaaaaaaaaa...: not found")


def test_a_failed_init_container_comes_before_the_container_that_waits_for_it() -> None:
    held = pod(
        initContainerStatuses=[
            {
                "name": "fetch-model",
                "restartCount": 2,
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 20s"}},
                "lastState": {"terminated": {"exitCode": 1, "message": "model download failed: HTTP 404"}},
            }
        ],
        containerStatuses=[{"name": "rasa-oss", "state": {"waiting": {"reason": "PodInitializing"}}}],
    )
    assert pods.blocker(held) == (
        "myrasa-1 on worker: init container fetch-model: CrashLoopBackOff: exit code 1: model download failed: HTTP 404"
    )


def test_a_container_that_runs_but_is_not_ready_says_so_with_its_last_end() -> None:
    state = {"name": "rasa-oss", "ready": False, "state": {"running": {"startedAt": "now"}}}
    assert pods.blocker(pod(containerStatuses=[state])) == "myrasa-1 on worker: rasa-oss runs, not Ready yet"
    again = {**state, "restartCount": 1, "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}
    assert pods.blocker(pod(containerStatuses=[again])).endswith("restarted 1 times: exit code 137: OOMKilled")


def test_a_long_message_stays_one_short_line() -> None:
    held = pod(containerStatuses=[{"name": "x", "state": {"waiting": {"reason": "Err", "message": "y\n" * 900}}}])
    assert len(pods.blocker(held)) <= 300
    assert pods.blocker(held).endswith("y y")
    assert "\n" not in pods.blocker(held)


def test_the_line_over_all_pods_counts_the_ready_ones_and_tells_a_reason_once() -> None:
    assert pods.blocked([ready("a"), ready("b")]) == ""
    assert pods.blocked([ready("a"), pod("b"), pod("c", node=None)]) == ("1 of 3 pods Ready; b on worker, c: Pending")
    other = pod("d", node=None, phase="Unknown")
    assert pods.blocked([pod("b"), other], most=1) == "0 of 2 pods Ready; b on worker: Pending (and 1 more reasons)"


def test_a_pod_that_is_ending_is_no_blocker() -> None:
    ending = pod("old")
    ending["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert pods.blocked([ready("a"), ending]) == ""


def deployment(**status: int) -> dict[str, Any]:
    return {"metadata": {"name": "myrasa", "generation": 3}, "spec": {"replicas": 2}, "status": status}


def test_a_rollout_is_done_only_when_all_pods_are_new_available_and_alone() -> None:
    done = {"observedGeneration": 3, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
    assert pods.unfinished(deployment(**done)) == ""
    assert pods.unfinished(deployment(**{**done, "observedGeneration": 2})) == "myrasa: the change is not noticed yet"
    assert pods.unfinished(deployment(**{**done, "updatedReplicas": 1})) == "myrasa: 1 of 2 pods new"
    assert pods.unfinished(deployment(**{**done, "availableReplicas": 0})) == "myrasa: 0 of 2 pods available"
    assert pods.unfinished(deployment(**{**done, "replicas": 3})) == "myrasa: 1 pods of an older version still there"


def test_pods_of_a_chart_without_the_usual_label_are_found_by_its_workloads() -> None:
    def workload(kind: str, **labels: str) -> dict[str, Any]:
        return {"kind": kind, "metadata": {"name": "x"}, "spec": {"selector": {"matchLabels": labels}}}

    usual = {"app.kubernetes.io/instance": "tea"}
    others = [workload("Deployment"), {"kind": "Service", "metadata": {"name": "x"}, "spec": {"selector": {"a": "b"}}}]
    bodies = [workload("Deployment", **usual), workload("StatefulSet", tier="db", app="tea"), *others]
    assert pods.selectors_of(bodies, "tea") == ("app=tea,tier=db",)
    assert pods.selectors_of(bodies, "milk") == ("app.kubernetes.io/instance=tea", "app=tea,tier=db")


def test_a_pod_that_two_selectors_find_counts_once() -> None:
    class Cluster:
        def list(self, _version: str, _kind: str, _namespace: str, labels: str) -> list[dict[str, Any]]:
            return [pod("a"), pod("b")] if labels == "app=tea" else [pod("a")]

    found = pods.release_pods(cast(Any, Cluster()), "shop", "tea", ["app=tea"])
    assert [one["metadata"]["name"] for one in found] == ["a", "b"]
