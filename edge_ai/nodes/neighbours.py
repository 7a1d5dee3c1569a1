"""The nodes of one robot, found in the ROS graph."""

from __future__ import annotations

from rclpy.node import Node

_MARK = ("/profile", "edge_ai/srv/Profile")  # every managed node of ours offers it, and nobody else does
_MONITOR = "/monitor"
_COMPOSED = "pipeline"

Services = dict[str, list[str]]


class Neighbours:
    """Managed nodes in a node's namespace and below it, except those that another monitor below it looks after.

    Args:
        node: looks into the graph, which it learns of other machines a moment late.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._inside = node.get_namespace().rstrip("/") + "/"

    def services(self) -> Services:
        """Types of all services by full name."""
        return dict(self._node.get_service_names_and_types())

    def nodes(self, services: Services | None = None) -> list[str]:
        """Full names of the nodes, sorted; ``services``: as just asked for."""
        known = self.services() if services is None else services
        tail, kind = _MARK
        found = sorted(
            name.removesuffix(tail) for name, kinds in known.items() if name.endswith(tail) and kind in kinds
        )
        found = [name for name in found if name.startswith(self._inside)]
        others = [name.removesuffix(_MONITOR) for name in found if name.endswith(_MONITOR)]
        others = [f"{inside}/" for inside in others if f"{inside}/" != self._inside]
        return [name for name in found if not name.startswith(tuple(others))]

    def named(self, short: str, services: Services | None = None) -> list[tuple[str, str]]:
        """Full names of the nodes that are, or contain, a part of the robot, each with the prefix of its parameters.

        Args:
            short: "camera", "inference", "control" or "router"; with several cameras there is a node for each.
            services: as just asked for.
        """
        nodes = self.nodes(services)
        separate = [(name, "") for name in nodes if name.rpartition("/")[2] == short]
        return separate or [(name, f"{short}.") for name in nodes if name.rpartition("/")[2] == _COMPOSED]

    def namespaces(self) -> set[str]:
        """Those of the nodes, such as "/robot" and "/robot/front"."""
        return {name.rpartition("/")[0] or "/" for name in self.nodes()}

    def relative(self, full: str) -> str:
        """A full name as it is known in this robot: "front/camera"."""
        return full.removeprefix(self._inside).lstrip("/")
