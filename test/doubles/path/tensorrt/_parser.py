"""The ONNX parser: what it refuses it tells in errors, and returns False."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tensorrt import _logger
from tensorrt._enums import ErrorCode
from tensorrt._native import Native, only
from tensorrt._network import INetworkDefinition, fill

_ANY = -1


class ParserError(Native):
    """Why a model cannot be parsed."""

    def __init__(self, code: Any, text: str, node: int = _ANY, name: str = "", operator: str = "") -> None:
        self._own_code, self._own_text, self._own_node = code, text, node
        self._own_name, self._own_operator = name, operator

    def code(self) -> Any:
        """One of `ErrorCode`."""
        return self._own_code

    def desc(self) -> str:
        """In words."""
        return self._own_text

    def node(self) -> int:
        """The number of the node, -1 if it is about none."""
        return self._own_node

    @only(since=(10,))
    def node_name(self) -> str:
        """The node's name."""
        return self._own_name

    @only(since=(10,))
    def node_operator(self) -> str:
        """The node's operator."""
        return self._own_operator


class OnnxParser(Native):
    """Fills a network; it lives as long as the network does."""

    def __init__(self, network: INetworkDefinition, logger: Any) -> None:
        if not isinstance(network, INetworkDefinition):
            raise TypeError("incompatible constructor arguments: a network is wanted")
        self._own_network, self._own_logger = network, _logger.require(logger)
        self._own_errors: list[ParserError] = []

    num_errors = property(lambda self: len(self._own_errors))

    def get_error(self, index: int) -> ParserError:
        """An error."""
        return self._own_errors[index]

    def parse(self, model: bytes, path: str | None = None) -> bool:
        """Read a model from memory; external data is looked for beside the path."""
        return self._parse(bytes(model), Path(path).parent if path else None)

    def parse_from_file(self, model: str) -> bool:
        """Read a model and its external data."""
        try:
            data = Path(model).read_bytes()
        except OSError:
            return self._refuse(ErrorCode.MODEL_DESERIALIZE_FAILED, f"Failed to open file: {model}")
        return self._parse(data, Path(model).parent)

    def _parse(self, data: bytes, folder: Path | None) -> bool:
        import onnx
        from onnx.external_data_helper import load_external_data_for_model

        model = onnx.ModelProto()
        try:
            model.ParseFromString(data)
        except Exception:
            return self._refuse(ErrorCode.MODEL_DESERIALIZE_FAILED, "Failed to parse the ONNX model.")
        if not model.graph.node:
            return self._refuse(ErrorCode.MODEL_DESERIALIZE_FAILED, "Failed to parse the ONNX model.")
        for index, node in enumerate(model.graph.node):
            if not onnx.defs.has(node.op_type, node.domain):
                text = f"Plugin not found, are the plugin name, version, and namespace correct? ({node.op_type})"
                return self._refuse(ErrorCode.UNSUPPORTED_NODE, text, index, node.name, node.op_type)
        try:
            load_external_data_for_model(model, str(folder or Path.cwd()))
        except Exception as error:
            return self._refuse(ErrorCode.MODEL_DESERIALIZE_FAILED, f"Failed to open file: {error}")
        fill(self._own_network, model)
        return True

    def _refuse(self, code: Any, text: str, node: int = _ANY, name: str = "", operator: str = "") -> bool:
        self._own_errors.append(ParserError(code, text, node, name, operator))
        _logger.error(self._own_logger, f"ModelImporter.cpp: {text}")
        return False
