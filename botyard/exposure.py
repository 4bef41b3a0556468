"""Who may reach the bot at a target, and the values of chart rasa that follow from it."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

_AZURE = "service.beta.kubernetes.io/azure"


class Exposure(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Internal by default. ``public`` needs TLS, or the word ``insecure``.

    Args:
        public: an address on the internet.
        insecure: without TLS, which is refused otherwise.
        dns_label: Azure's, of AKS alone.
        tls_secret: Secret with tls.crt and tls.key.
        issuer: ClusterIssuer of cert-manager, in place of a Secret of one's own.
        hosts: names that the issuer's certificate is for.
        origins: pages whose scripts may ask, as https://shop.example.
    """

    public: bool = False
    insecure: bool = False
    dns_label: Annotated[str, Meta(pattern=r"^([a-z][a-z0-9-]{1,61}[a-z0-9])?\Z")] = ""
    tls_secret: str = ""
    issuer: str = ""
    hosts: list[str] = []
    origins: list[str] = []

    def __post_init__(self) -> None:
        if self.public and not (self.tls_secret or self.issuer or self.insecure):
            raise ValueError("public without TLS: set tls_secret or issuer, or say insecure: true if that is meant")
        if self.insecure and (self.tls_secret or self.issuer):
            raise ValueError("insecure and TLS exclude each other: leave one of them out")
        if self.issuer and not self.hosts:
            raise ValueError("issuer needs hosts: the names that the certificate is for")

    def gateway(self, driver: str) -> dict[str, Any]:
        """Keys below ``gateway`` of chart rasa. Not public: an edge only where
        TLS or ``insecure`` asks for one, and internal."""
        if not (self.public or self.tls_secret or self.issuer or self.insecure):
            return {"edge": {}, "tls": {}}
        annotations: dict[str, str] = {}
        if driver == "aks":
            annotations[f"{_AZURE}-load-balancer-internal"] = str(not self.public).lower()
            if self.dns_label:
                annotations[f"{_AZURE}-dns-label-name"] = self.dns_label
        manager = {"issuer": self.issuer, "dnsNames": self.hosts}
        # Without an Azure to ask for an internal address, what is not public stays in the cluster.
        kind = "LoadBalancer" if self.public or driver == "aks" else "ClusterIP"
        edge = {
            "enabled": True,
            "insecure": self.insecure,
            "origins": self.origins,
            "service": {"type": kind, "annotations": annotations},
        }
        return {"edge": edge, "tls": {"secretName": self.tls_secret, "certManager": manager}}
