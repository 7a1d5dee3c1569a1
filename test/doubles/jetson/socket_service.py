"""A service for the real client of jetson-stats, at its socket: what it asks for and how it is answered.

Written from what the client sends and expects; nothing of the real service is in it.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from multiprocessing.managers import SyncManager
from pathlib import Path
from typing import Any

TICK = 0.05  # s


class SocketService:
    """Serves one client's questions with the figures of a double's service (test/doubles/jetson/path).

    Args:
        figures: a `Service` of the double.
        socket: where to listen; the client's JTOP_PIPE.
    """

    def __init__(self, figures: Any, socket: Path) -> None:
        self._client = sys.modules["jtop.jtop"]
        self._figures = figures
        self._asked: queue.Queue[dict[str, Any]] = queue.Queue()
        self._data: dict[str, Any] = {}
        self._fresh = threading.Event()
        self.ended = threading.Event()

        class Manager(SyncManager):
            pass

        Manager.register("get_queue", callable=lambda: self._asked)
        Manager.register("sync_data", callable=lambda: self._data, exposed=("copy",))
        Manager.register("sync_event", callable=lambda: self._fresh, exposed=("is_set", "set", "clear", "wait"))
        key = sys.modules["jtop.service"].get_key().encode()
        self._server = Manager(address=str(socket), authkey=key).get_server()
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while not self.ended.is_set():
            try:
                self._take(self._asked.get(timeout=TICK))
            except queue.Empty:
                self._figures.tick()
                self._data.update(self._stats())
                self._fresh.set()

    def _take(self, asked: dict[str, Any]) -> None:
        if "interval" in asked:
            self._asked.put({"init": self._init()})
            time.sleep(TICK)  # the client takes its answer from the queue that it asks by
        elif "init" in asked:
            self._asked.put(asked)
            time.sleep(TICK)
        elif "nvp" in asked:
            self._figures.take("nvp", asked["nvp"]["id"])
        elif "jc" in asked:
            self._figures.take("jc", asked["jc"]["enable"])
        elif "fan" in asked:
            self._figures.take("fan", (asked["fan"]["name"], asked["fan"]["profile"]))

    def _init(self) -> dict[str, Any]:
        client, figures = self._client, self._figures
        return {
            "version": client.get_var(client.VERSION_RE),
            "board": {"hardware": dict(figures.hardware)},
            "interval": TICK,
            "memory": {},
            "fan": figures.profiles,
            "jc": True,
            "nvpmodel": {"models": figures.models, "default": {"name": figures.models[0], "id": 0}},
        }

    def _stats(self) -> dict[str, Any]:
        figures = self._figures
        return {
            "uptime": figures.uptime,
            "cpu": {"total": {}, "cpu": []},
            "gpu": figures.gpu,
            "mem": figures.memory,
            "engines": figures.engine,
            "temperature": figures.temperature,
            "power": figures.power,
            "fan": figures.fan,
            "jc": {"enable": figures.clocks, "thread": figures.clocks_state, "config": True, "boot": False},
            "nvp": {
                "status": figures.reachable,
                "thread": False,
                "model": {"name": figures.models[figures.model], "id": figures.model},
            },
        }
