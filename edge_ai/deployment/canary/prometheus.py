"""Asking Prometheus how the two groups of robots fare."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.canary.criteria import Criterion, filled
from edge_ai.deployment.canary.evaluation import Evaluation, Figure
from edge_ai.deployment.canary.plan import Host

Vector = Sequence[tuple[Mapping[str, str], float]]
"""Labels and value of each series."""


class Prometheus:
    """A server's HTTP API, version 1 (https://prometheus.io/docs/prometheus/latest/querying/api).

    Args:
        url: its base; "https://user:password@host" where it asks for them.
        timeout: for an answer, s.

    Raises:
        DeploymentError: httpx is not installed.
    """

    def __init__(self, url: str, timeout: float = 10.0) -> None:
        try:
            import httpx
        except ImportError as error:
            mend = "python3 -m pip install 'edge_ai[deploy]'"
            raise DeploymentError("queries to Prometheus", got=error, wanted="httpx", mend=mend) from None
        self._url, self._httpx = url.rstrip("/"), httpx
        self._name = re.sub(r"//[^/]*@", "//", self._url)  # a password is for no journal
        self._client = httpx.Client(timeout=timeout)

    def query(self, query: str) -> Vector:
        """An instant query's answer; a scalar is one series without labels.

        Raises:
            DeploymentError: no answer, none of Prometheus, or the query is refused; with the reason.
        """
        what = f"Prometheus at {self._name}"
        try:
            answer = self._client.post(f"{self._url}/api/v1/query", data={"query": query})
            content: dict[str, Any] = answer.json()
            if content["status"] != "success":
                raise DeploymentError(what, got=content["error"], wanted="a query it can answer")
            kind, result = content["data"]["resultType"], content["data"]["result"]
            if kind == "scalar":
                return [({}, float(result[1]))]
            if kind != "vector":
                raise DeploymentError(what, got=f"a {kind}", wanted="an instant vector: one value of each series")
            return [(series["metric"], float(series["value"][1])) for series in result]
        except (self._httpx.HTTPError, self._httpx.InvalidURL) as error:
            raise DeploymentError(what, got=str(error) or type(error).__name__, wanted="an answer") from None
        except (ValueError, KeyError, TypeError, IndexError):
            got = f"HTTP status {answer.status_code} without an answer of its API"
            raise DeploymentError(what, got=got, mend="correct 'prometheus' in the plan") from None

    def close(self) -> None:
        """Close its connections."""
        self._client.close()


class Asker:
    """Puts criteria to Prometheus.

    Args:
        prometheus: who is asked.
        label: that tells robots apart.
    """

    def __init__(self, prometheus: Prometheus, label: str) -> None:
        self._prometheus, self._label = prometheus, label

    def evaluate(
        self, criteria: Sequence[Criterion], canary: Sequence[Host], stable: Sequence[Host], window: float
    ) -> Evaluation:
        """Figures of the last ``window`` seconds; what cannot be had is missing, with the reason where there is one."""
        found: dict[str, dict[str, Mapping[str, Figure]]] = {"canary": {}, "stable": {}}
        faults: dict[str, str] = {}
        for criterion in criteria:
            try:
                found["canary"][criterion.name] = self._canary(criterion, canary, window)
                found["stable"][criterion.name] = self._stable(criterion, canary, stable, window)
            except DeploymentError as error:
                faults[criterion.name] = str(error)
        return Evaluation(found["canary"], found["stable"], faults)

    def _canary(self, criterion: Criterion, hosts: Sequence[Host], window: float) -> Mapping[str, Figure]:
        return _figures(criterion, lambda query, add: self._something(query, hosts, window, add=add))

    def _stable(
        self, criterion: Criterion, canary: Sequence[Host], stable: Sequence[Host], window: float
    ) -> Mapping[str, Figure]:
        if criterion.against is not None:
            return _single(self._something(criterion.against, canary, window, add=False))
        if not criterion.compared:
            return {}
        return _figures(criterion, lambda query, add: self._values(query, stable, window, add=add))

    def _something(self, query: str, hosts: Sequence[Host], window: float, *, add: bool) -> Mapping[str, float]:
        values = self._values(query, hosts, window, add=add)
        if not values:
            mend = "see whether the name is right and the robots are scraped; a series that begins with its first event"
            mend += " wants 'or 0 * ...' of one that is always there"
            raise DeploymentError(f"query '{query}'", got=f"nothing for {_few(hosts)}", mend=mend)
        return values

    def _values(self, query: str, hosts: Sequence[Host], window: float, *, add: bool) -> Mapping[str, float]:
        """By robot; a robot any of whose values is no finite number is left out."""
        if not hosts:
            return {}
        by_host: dict[str, list[float]] = defaultdict(list)
        vector = self._prometheus.query(filled(query, (host.label for host in hosts), self._label, window))
        if any(self._label not in labels for labels, _ in vector):
            mend = f"group it: sum by ($label) (...); 'label' is '{self._label}'"
            raise DeploymentError(f"query '{query}'", got="values that are no robot's", mend=mend)
        for labels, value in vector:
            says = labels[self._label]
            for host in hosts:
                if says == host.label or says.startswith(f"{host.label}:"):
                    by_host[host.name].append(value)
        finite = {host: found for host, found in by_host.items() if all(map(math.isfinite, found))}
        return {host: math.fsum(found) if add else max(found) for host, found in finite.items()}


def _figures(criterion: Criterion, ask: Callable[[str, bool], Mapping[str, float]]) -> Mapping[str, Figure]:
    if criterion.query is not None:
        return _single(ask(criterion.query, False))
    assert criterion.bad is not None
    assert criterion.total is not None
    return _both(ask(criterion.bad, True), ask(criterion.total, True))


def _single(values: Mapping[str, float]) -> Mapping[str, Figure]:
    return {host: (value,) for host, value in values.items()}


def _both(bad: Mapping[str, float], total: Mapping[str, float]) -> Mapping[str, Figure]:
    return {host: (bad[host], total[host]) for host in total if host in bad}


def _few(hosts: Sequence[Host]) -> str:
    if not hosts:
        return "no robot"
    return hosts[0].name if len(hosts) == 1 else f"{hosts[0].name} and {len(hosts) - 1} more"
