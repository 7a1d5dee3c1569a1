"""What Prometheus is told, on a registry of our own: measurements, alerts, mitigation, router, recorder, updates."""

from __future__ import annotations

import math
import platform
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import edge_ai
from edge_ai.core.clock import Clock
from edge_ai.core.errors import EdgeAIError
from edge_ai.monitoring.alert import Alert
from edge_ai.monitoring.metric_names import PREFIX, metric_of
from edge_ai.monitoring.readings import Sample

if TYPE_CHECKING:
    from prometheus_client.core import Metric

_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_PATIENCE = 10.0  # s; what is older is no measurement of now

_ROUTER = {
    ("router_answers", "Frames answered."): {"edge_answers": "edge", "cloud_answers": "cloud"},
    ("router_events", "What became of frames and requests besides answers."): {
        **{name: name for name in ("failovers", "hedged", "hedges_won", "second_opinions", "overtaken", "expired")},
        **{name: name for name in ("failed", "cancelled", "cloud_failed", "repeated")},
    },
}


class Metrics:
    """Told by the monitor from any thread; read when Prometheus asks. What is missing or NaN is absent.

    Args:
        clock: its steady side tells when the newest sample is too old to be shown.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sample: Sample | None = None
        self._samples = 0
        self._alerts: tuple[Alert, ...] = ()
        self._raised: Counter[str] = Counter()
        self._mitigation: Mapping[str, Any] | None = None
        self._router: Mapping[str, Any] | None = None
        self._recorder: Mapping[str, Any] | None = None
        self._update: Mapping[str, Any] | None = None
        self._registry: Any = None

    def sample(self, sample: Sample) -> None:
        """What was measured last."""
        with self._lock:
            self._sample = sample
            self._samples += 1

    def alerts(self, active: Iterable[Alert]) -> None:
        """Those that are active now."""
        with self._lock:
            before = {alert.name for alert in self._alerts}
            self._alerts = tuple(active)
            self._raised.update(alert.name for alert in self._alerts if alert.name not in before)

    def mitigation(self, fields: Mapping[str, Any]) -> None:
        """The ladder: "level" and "changes", as of msg/MitigationStatus.msg."""
        self._mitigation = fields

    def router(self, fields: Mapping[str, Any]) -> None:
        """The fields of msg/RouterStatus.msg by name."""
        self._router = fields

    def recorder(self, fields: Mapping[str, Any]) -> None:
        """The fields of msg/RecorderStatus.msg by name."""
        self._recorder = fields

    def model_update(self, fields: Mapping[str, Any]) -> None:
        """The fields of msg/ModelUpdate.msg by name."""
        self._update = fields

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """Everything in a format that the asking side accepts, and its content type.

        Args:
            accept: the request's Accept header; empty: Prometheus's text format.

        Raises:
            EdgeAIError: prometheus-client is not installed.
        """
        try:
            from prometheus_client import CollectorRegistry, ProcessCollector
            from prometheus_client.exposition import generate_latest
            from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
        except ImportError as error:
            mend = "python3 -m pip install prometheus-client"
            raise EdgeAIError("metrics for Prometheus", got=error, wanted="prometheus-client", mend=mend) from None
        if self._registry is None:
            registry = CollectorRegistry(auto_describe=False)
            registry.register(self)
            ProcessCollector(registry=registry)
            self._registry = registry
        if _OPENMETRICS.partition(";")[0] in accept:
            encode: Callable[[Any], bytes] = generate_openmetrics
            return encode(self._registry), _OPENMETRICS
        return generate_latest(self._registry), _TEXT

    def collect(self) -> Iterator[Metric]:
        """What prometheus-client's registry asks of a collector."""
        with self._lock:
            sample, samples, alerts, raised = self._sample, self._samples, self._alerts, dict(self._raised)
        families = _Families()
        families.info("build", "What runs here.", version=edge_ai.__version__, python=platform.python_version())
        families.count("samples", "Looks of the monitor at the machine.", samples)
        if sample is not None:
            age = (self._clock.steady_ns() - sample.steady_ns) / 1e9
            families.gauge("sample_age_seconds", "Since the newest look at the machine.", age)
            if age <= _PATIENCE:
                _sample(families, sample)
        for alert in alerts:
            labels = {"name": alert.name, "level": alert.level.name.lower()}
            families.gauge("alert_active", "Alerts that are raised now.", 1, **labels)
        for name, count in sorted(raised.items()):
            families.count("alerts", "Alerts raised.", count, name=name)
        if (ladder := self._mitigation) is not None:
            families.gauge("mitigation_level", "Steps of the ladder that are taken.", ladder.get("level"))
            families.count("mitigation_changes", "Steps taken or undone.", ladder.get("changes"))
        if (router := self._router) is not None:
            _router(families, router)
        if (recorder := self._recorder) is not None:
            _recorder(families, recorder)
        if (update := self._update) is not None:
            _model_update(families, update)
        yield from families.all()


class _Families:
    """Collects series into families, in the order in which they are first seen."""

    def __init__(self) -> None:
        from prometheus_client import core

        self._core = core
        self._families: dict[str, Metric] = {}

    def gauge(self, family: str, words: str, value: float | None, **labels: str) -> None:
        self._add(self._core.GaugeMetricFamily, family, words, value, labels)

    def count(self, family: str, words: str, value: float | None, **labels: str) -> None:
        self._add(self._core.CounterMetricFamily, family, words, value, labels)

    def info(self, family: str, words: str, **labels: str) -> None:
        """A gauge of 1 whose labels tell; its name ends in "_info"."""
        self._add(self._core.GaugeMetricFamily, f"{family}_info", words, 1, labels)

    def all(self) -> Iterable[Metric]:
        return self._families.values()

    def _add(self, kind: Any, name: str, words: str, value: float | None, labels: Mapping[str, str]) -> None:
        if value is None or math.isnan(value):
            return
        if name not in self._families:
            self._families[name] = kind(PREFIX + name, words, labels=list(labels))
        self._families[name].add_metric(list(labels.values()), float(value))  # type: ignore[attr-defined]


def _sample(families: _Families, sample: Sample) -> None:
    for reading, value in sample.readings.items():
        metric = metric_of(reading)
        families.gauge(metric.name, metric.help, value, **dict(metric.labels))
    for source in sample.faults:
        families.gauge("source_fault", "Sources of measurements that are left out.", 1, source=source)
    if sample.texts:
        texts = {name: sample.texts.get(name, "") for name in ("board", "jetpack", "power_mode")}
        families.info("board", "The board this is.", **texts)


def _router(families: _Families, fields: Mapping[str, Any]) -> None:
    for (name, words), kinds in _ROUTER.items():
        for field, kind in kinds.items():
            families.count(name, words, fields.get(field), kind=kind)
    families.count("router_sent_bytes", "Sent to the server.", fields.get("bytes_sent"))
    for by in ("edge", "cloud", "skip"):
        families.gauge("router_frames_ratio", "Share of the frames by who answers.", fields.get(f"{by}_share"), by=by)
    for side in ("edge", "cloud"):
        words = "Expected time from asking to the answer."
        families.gauge("router_latency_seconds", words, fields.get(f"{side}_latency"), side=side)


def _recorder(families: _Families, fields: Mapping[str, Any]) -> None:
    families.gauge("recorder_recording", "1: a file is being written.", fields.get("recording"))
    families.gauge("recorder_buffered_bytes", "Held in memory.", fields.get("buffered_bytes"))
    families.gauge("recorder_disk_bytes", "Recordings on disk.", fields.get("disk_bytes"))
    families.gauge("recorder_files", "Recordings on disk.", fields.get("files"))
    families.count("recorder_messages", "Messages taken in.", fields.get("messages"))
    families.count("recorder_lost_messages", "Messages in no memory and no file.", fields.get("lost"))


def _model_update(families: _Families, fields: Mapping[str, Any]) -> None:
    said = {name: str(fields.get(name, "")) for name in ("state", "active", "candidate")}
    families.info("model_update", "What answers, what is staged or on probation, and how far it is.", **said)
    families.count("model_switches", "Switches to a new model.", fields.get("switches"))
    families.count("model_rollbacks", "Switches that were taken back.", fields.get("rollbacks"))
