"""Who may reach the bot at a target, and the values of chart rasa that follow from it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field, model_validator

from botyard.strict import STRICT

_AZURE = "service.beta.kubernetes.io/azure"


class Exposure(BaseModel):
    """Internal by default. ``public`` needs TLS, or the word ``insecure``."""

    model_config = STRICT
    public: bool = Field(default=False, strict=True, description="an address on the internet")
    insecure: bool = Field(default=False, strict=True, description="without TLS, which is refused otherwise")
    dns_label: str = Field(
        default="", pattern=r"^([a-z][a-z0-9-]{1,61}[a-z0-9])?\Z", description="Azure's, of AKS alone"
    )
    tls_secret: str = Field(default="", description="Secret with tls.crt and tls.key")
    issuer: str = Field(default="", description="ClusterIssuer of cert-manager, in place of a Secret of one's own")
    hosts: list[str] = Field(default=[], description="names that the issuer's certificate is for")
    origins: list[str] = Field(default=[], description="pages whose scripts may ask, as https://shop.example")

    @model_validator(mode="after")
    def _is_safe(self) -> Exposure:
        if self.public and not (self.tls_secret or self.issuer or self.insecure):
            raise ValueError("public without TLS: set tls_secret or issuer, or say insecure: true if that is meant")
        if self.insecure and (self.tls_secret or self.issuer):
            raise ValueError("insecure and TLS exclude each other: leave one of them out")
        if self.issuer and not self.hosts:
            raise ValueError("issuer needs hosts: the names that the certificate is for")
        return self

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
