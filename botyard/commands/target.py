"""Where a bot can be released to: which clusters there are, whether they are the right ones, what may be done there."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from botyard.commands.session import Flags, paths_for, reach, read_target, root_folder, variables_for
from botyard.commands.streams import errors_as_lines
from botyard.contracts import shown

if TYPE_CHECKING:
    from botyard.targets import AzureOf, Target

HELP = {"target": "a name in values/targets.yml"}


def _target(name: str) -> Target:
    return read_target(Flags(name), any_cluster=True)


@task(name="list")
def list_(c: Context) -> None:
    """List the targets of values/targets.yml."""
    with errors_as_lines():
        from botyard.targets import load_target, names

        for name in names(root_folder()):
            found = load_target(root_folder(), name)
            pinned = "made here" if found.ours else "pinned" if found.pin else "not pinned"
            print(f"{name:15}  {found.driver:8}  {found.context:25}  namespace {found.namespace}  {pinned}")


@task(help=HELP)
def show(c: Context, target: str = "kind") -> None:
    """Show a target with all defaults filled in."""
    with errors_as_lines():
        import msgspec
        import yaml

        found = _target(target)
        of_ours = () if found.ours else ("workers", "kubernetes_version", "sources", "ports")
        shown_too = {k: v for k, v in msgspec.to_builtins(found).items() if v is not None and k not in of_ours}
        print(yaml.safe_dump(shown_too, sort_keys=False), end="")


@task(help=HELP)
def check(c: Context, target: str = "kind") -> None:
    """Ask a target who it is and what may be done there; nothing is changed."""
    with errors_as_lines():
        from botyard.release import guard, identity, rights

        found, kube = reach(target)
        seen = identity.identify(kube)
        print(f"server           {seen.server}")
        print(f"kube-system uid  {seen.kube_system_uid}")
        print(f"authority        {seen.ca_sha256}")
        if found.ours:
            guard.require_mark(kube, found.cluster)
            print("a cluster of ours: it carries botyard's mark")
        else:
            identity.require_pin(found, seen)
            print("the pinned cluster")
        verdicts = rights.ask(kube, found.namespace)
        missing = [one for one in verdicts if one.refused]
        for one in missing:
            word = "warning" if one.right.optional else "missing"
            print(f"{word}: {', '.join(one.refused)} {one.right} ({one.right.why})")
        print(f"{len(verdicts) - len(missing)} of {len(verdicts)} rights are there, in namespace {found.namespace}")
        if any(not one.right.optional for one in missing):
            print(f"cure: have what invoke target.rbac --target {target} prints applied")
            raise Exit(code=1)


@task(help={"target": "a target of values/targets.yml with the keys of azure"})
def login(c: Context, target: str) -> None:
    """Fetch the way to an AKS cluster into a kubeconfig of our own, as who is logged in with az.

    Needs az (and kubelogin where the cluster asks Microsoft Entra who you are). Your own kubeconfig is not touched. A
    registry with login: az is asked, too, so that one who may not go there is told now, and whether its nodes may pull
    from it.
    """
    with errors_as_lines():
        from botyard.contracts import BadInput
        from botyard.tools import azure, registry_login

        found = _target(target)
        if found.azure is None:
            raise BadInput(
                f"target {target} does not say where Azure has its cluster",
                f"give targets.{target}.azure its resource_group and cluster in values/targets.yml; "
                "of other clusters the kubeconfig is yours to make",
            )
        who = azure.account()
        print(f"logged in as {who.user}, subscription {found.azure.subscription or who.subscription}")
        file = found.kubeconfig_in(paths_for(found.cluster).state)
        how = azure.fetch_kubeconfig(found.azure, found.context, file)
        print(f"context {found.context} is in {shown(file)} ({how})")
        if found.registry is not None and found.registry.login == "az":
            host = found.registry.address.partition("/")[0]
            registry_login.from_az(host)
            print(f"the registry {host} lets you in")
            if not found.pull_secret:
                print(_nodes_may_pull(found.azure, host))
        print(f"next: invoke {'target.check' if found.pin else 'target.pin'} --target {target}")


def _nodes_may_pull(azure_of: AzureOf, host: str) -> str:
    """A line for a person; who may not see role assignments can deploy all the same."""
    from botyard.contracts import BadInput
    from botyard.tools import azure

    try:
        roles = azure.pulling_roles(azure_of, host)
    except BadInput as error:
        return f"warning: whether the cluster's nodes may pull from {host} is not to be seen: {error.message}"
    if roles:
        return f"the cluster's nodes may pull from it ({', '.join(roles)})"
    return (
        f"warning: no role of Azure's own lets the cluster's nodes pull from {host}: az aks update --name "
        f"{azure_of.cluster} --resource-group {azure_of.resource_group} --attach-acr {host.partition('.')[0]}"
    )


@task(help={**HELP, "replace": "put this cluster in place of the one that is pinned"})
def pin(c: Context, target: str, replace: bool = False) -> None:
    """Note in values/targets.yml which cluster a target is, so that no other is ever taken for it.

    A context's name proves nothing: it is whatever the kubeconfig of the day says. The pin is the fingerprint of the
    API server's authority and the uid of the namespace kube-system. Look at what is printed before you commit it.
    """
    with errors_as_lines():
        from botyard.contracts import BadInput
        from botyard.release import identity, pins

        found = _target(target)
        if found.ours:
            raise BadInput(f"target {target} is made here and carries botyard's mark", "nothing is to be pinned")
        seen = identity.identify(reach(target)[1])
        if found.pin == seen.pin:
            print(f"{target} is pinned to this cluster already: {seen.server}")
            return
        if found.pin is not None and not replace:
            identity.require_pin(found, seen)
        pins.write(root_folder(), target, seen.pin)
        print(f"{target} is pinned to {seen.server}: kube-system {seen.kube_system_uid}, authority {seen.ca_sha256}")


@task(
    help={
        **HELP,
        "name": "what the account and its roles are called",
        "user": "bind them to this user instead of an account of their own; of an identity in Entra, its object id",
        "read-only": "only what invoke deploy --check needs",
    }
)
def rbac(
    c: Context, target: str = "kind", name: str = "botyard-deploy", user: str = "", read_only: bool = False
) -> None:
    """Print the least roles that a deploy needs, and an account that has them. Nothing is changed.

    For someone who may grant them: invoke target.rbac --target aks | kubectl apply -f -
    """
    with errors_as_lines():
        import yaml

        from botyard.release.rights import roles

        found = roles(_target(target).namespace, name, user=user, read_only=read_only)
        print(yaml.safe_dump_all(found, sort_keys=False, default_flow_style=None), end="")


@task(help={**HELP, "bot": "which bot: a folder in bots/, or a path"})
def inventory(c: Context, target: str = "kind", bot: str = "tea") -> None:
    """Print an inventory with a target's variables, so that the real ansible-playbook can run a playbook of yours.

    invoke target.inventory > kind.yml && ansible-playbook -i kind.yml greet.yml
    """
    with errors_as_lines():
        import yaml

        found = _target(target)
        paths = paths_for(found.cluster)
        variables = variables_for(Flags(target, bot), found, paths.state / "runs" / "ansible")
        # Ansible takes the first Python of the PATH otherwise, which need not be the one with its collections.
        host = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        whole = {"all": {"hosts": {"localhost": host}, "vars": variables}}
        print("# kubernetes.core takes the way to the cluster from the environment:")
        print(f"#   export K8S_AUTH_KUBECONFIG={shlex.quote(variables['target']['kubeconfig'])}")
        print(f"#   export K8S_AUTH_CONTEXT={shlex.quote(found.context)}")
        print(yaml.safe_dump(whole, sort_keys=False), end="")
