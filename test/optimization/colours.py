"""A small classifier that tells the colour of a picture: random convolutions, and a last layer fitted to pictures."""

import hashlib
import json

import cv2
import numpy as np
import yaml

COLOURS = {"red": (40, 40, 170), "green": (40, 170, 40), "blue": (170, 40, 40)}  # in the order of OpenCV: BGR
SIZE = 48


def picture(random, name):
    """(H, W, 3) uint8: noise around a colour."""
    noise = random.integers(-40, 40, (SIZE, SIZE, 3))
    return np.clip(np.array(COLOURS[name]) + noise, 0, 255).astype(np.uint8)


def graph(random, head=None, channels=24):
    """The ONNX model; without a head it gives the features."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weights = {
        "w1": random.normal(0, 0.3, (channels, 3, 3, 3)),
        "b1": random.normal(0, 0.1, channels),
        "w2": random.normal(0, 0.1, (channels, channels, 3, 3)),
        "b2": random.normal(0, 0.1, channels),
    }
    nodes = [
        helper.make_node("Conv", ["image", "w1", "b1"], ["a"], "first", kernel_shape=[3, 3], pads=[1] * 4),
        helper.make_node("Relu", ["a"], ["b"], "relu1"),
        helper.make_node("Conv", ["b", "w2", "b2"], ["c"], "second", kernel_shape=[3, 3], pads=[1] * 4, strides=[2, 2]),
        helper.make_node("Relu", ["c"], ["d"], "relu2"),
        helper.make_node("GlobalAveragePool", ["d"], ["e"], "pool"),
        helper.make_node("Flatten", ["e"], ["f"], "flatten"),
    ]
    output, shape = "f", [1, channels]
    if head is not None:
        weights |= {"w3": head[0], "b3": head[1]}
        nodes += [
            helper.make_node("Gemm", ["f", "w3", "b3"], ["g"], "head"),
            helper.make_node("Softmax", ["g"], ["classes"], "softmax"),
        ]
        output, shape = "classes", [1, len(COLOURS)]
    constants = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, SIZE, SIZE])
    out = helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)
    made = helper.make_graph(nodes, "colours", [image], [out], constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def make(folder):
    """Write the model, its card, thirty pictures and their labels; the paths of card, pictures and labels."""
    import onnx
    import onnxruntime

    random = np.random.default_rng(1)
    session = onnxruntime.InferenceSession(graph(np.random.default_rng(0)).SerializeToString())
    names = list(COLOURS)
    rows, wanted = [], []
    for i in range(90):
        tensor = picture(random, names[i % 3]).astype(np.float32).transpose(2, 0, 1)[None] / 255
        rows.append(session.run(None, {"image": tensor})[0][0])
        wanted.append(np.eye(3)[i % 3] * 8 - 4)
    table = np.c_[np.array(rows), np.ones(len(rows))]
    fitted = np.linalg.lstsq(table, np.array(wanted), rcond=None)[0]
    path = folder / "colours.onnx"
    onnx.save(graph(np.random.default_rng(0), (fitted[:-1], fitted[-1])), path)
    card = {
        "name": "colours",
        "version": "1",
        "task": "classification",
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "licence": "none",
        "source": "made by a test",
        "input": {"name": "image", "layout": "nchw", "size": [SIZE, SIZE], "color": "bgr", "resize": "stretch"}
        | {"scale": 1 / 255},
        "outputs": {"scores": "classes"},
        "decoder": {"family": "classifier"},
        "score_threshold": 0.0,
        "labels": names,
    }
    (folder / "colours.yaml").write_text(yaml.safe_dump(card))
    pictures = folder / "pictures"
    pictures.mkdir()
    images, annotations = [], []
    for i in range(30):
        name = f"p{i}.png"
        cv2.imwrite(str(pictures / name), picture(random, names[i % 3]))
        images.append({"id": i, "file_name": name, "width": SIZE, "height": SIZE})
        annotations.append({"id": i + 1, "image_id": i, "category_id": i % 3})
    categories = [{"id": i, "name": name} for i, name in enumerate(names)]
    labels = folder / "labels.json"
    labels.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return folder / "colours.yaml", pictures, labels
