"""What a user with data does: train, prune, fine-tune, export, quantise. The data are drawn on the spot."""

import numpy as np
import onnx
import onnxruntime
import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'torch': make test-torch")
pytest.importorskip("torch_pruning", reason="needs the extra 'torch': make test-torch")

from edge_ai.core.errors import EdgeAIError, ModelError  # noqa: E402
from edge_ai.optimization.pruning import prune  # noqa: E402
from edge_ai.optimization.quantization.quantize import quantize_static  # noqa: E402
from edge_ai.optimization.torch_modules import (  # noqa: E402
    export_module,
    hold_zeros,
    prune_module,
    quantize_module,
)

EXAMPLE = torch.zeros(1, 1, 16, 16)
torch.set_num_threads(1)  # threads cost more than they give with networks this small


class Block(torch.nn.Module):
    """Depthwise and pointwise convolution around which the input passes."""

    def __init__(self, width):
        super().__init__()
        self.each = torch.nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.mix = torch.nn.Conv2d(width, width, 1)
        self.norm = torch.nn.BatchNorm2d(width)

    def forward(self, x):
        return torch.relu(x + self.norm(self.mix(self.each(x))))


class Shapes(torch.nn.Module):
    """Tells shapes apart."""

    def __init__(self, width=32):
        super().__init__()
        self.stem = torch.nn.Sequential(
            torch.nn.Conv2d(1, width, 3, 2, 1), torch.nn.BatchNorm2d(width), torch.nn.ReLU()
        )
        self.block = Block(width)
        self.down = torch.nn.Conv2d(width, 2 * width, 3, 2, 1)
        self.head = torch.nn.Linear(2 * width, 4)

    def forward(self, x):
        return self.head(torch.relu(self.down(self.block(self.stem(x)))).mean((2, 3)))


def pictures(count, seed):
    """Squares, discs, crosses and rings of any size, at any place, in noise: [N, 1, 16, 16], and which they are."""
    random = np.random.default_rng(seed)
    kinds = random.integers(0, 4, count)
    size = random.uniform(3.5, 6, (count, 1, 1))
    x, y = (np.arange(16) - random.uniform(6, 9, (2, count, 1))).astype(np.float32)
    x, y = np.abs(x[:, None, :]), np.abs(y[:, :, None])
    far = np.hypot(x, y)
    forms = np.stack(
        [
            np.maximum(x, y) < 0.85 * size,
            far < size,
            (np.minimum(x, y) < 0.3 * size) & (np.maximum(x, y) < size),
            (far < size) & (far > 0.6 * size),
        ]
    )
    drawn = forms[kinds, np.arange(count)] + random.normal(0, 0.2, (count, 16, 16))
    return torch.from_numpy(drawn[:, None].astype(np.float32)), torch.from_numpy(kinds)


def train(module, steps, rate=3e-3, seed=0):
    images, kinds = pictures(4096, seed=1)
    optimizer = torch.optim.Adam(module.parameters(), rate)
    order = torch.Generator().manual_seed(seed)
    module.train()
    for _ in range(steps):
        chosen = torch.randint(0, len(images), (64,), generator=order)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(module(images[chosen]), kinds[chosen]).backward()
        optimizer.step()
    return module.eval()


def accuracy(module):
    images, kinds = pictures(1000, seed=2)
    with torch.no_grad():
        return float((module(images).argmax(1) == kinds).float().mean())


def onnx_accuracy(path):
    images, kinds = pictures(1000, seed=2)
    session = onnxruntime.InferenceSession(str(path))
    answers = [session.run(None, {"input": image[None].numpy()})[0].argmax() for image in images]
    return float(np.mean(np.array(answers) == kinds.numpy()))


def feeds():
    for image in pictures(64, seed=3)[0]:
        yield {"input": image[None].numpy()}


@pytest.fixture(scope="module")
def trained():
    torch.manual_seed(0)
    return train(Shapes(), 240)


def test_train_prune_fine_tune_export_quantise(trained, tmp_path):
    before = accuracy(trained)
    assert before > 0.9
    pruned = prune_module(trained, EXAMPLE, "structured", 0.5)
    assert accuracy(trained) == before  # it is a copy
    assert pruned.down.weight.shape == (32, 16, 3, 3)
    assert pruned.block.each.groups == 16
    assert pruned.head.weight.shape == (4, 32)
    dropped = accuracy(pruned)
    assert dropped < before - 0.05
    tuned = accuracy(train(pruned, 300, rate=2e-3, seed=1))
    assert tuned > before - 0.05
    path = export_module(pruned, EXAMPLE, tmp_path / "pruned.onnx")
    assert onnx_accuracy(path) == pytest.approx(tuned, abs=0.002)
    made = quantize_static(path, tmp_path / "int8.onnx", feeds)
    assert onnx_accuracy(made.path) > tuned - 0.02
    whole = export_module(trained, EXAMPLE, tmp_path / "whole.onnx")
    assert path.stat().st_size < 0.4 * whole.stat().st_size


def test_the_exported_network_is_pruned_with_what_was_learnt(trained, tmp_path):
    whole = export_module(trained, EXAMPLE, tmp_path / "whole.onnx")
    made = prune(whole, tmp_path / "cut.onnx", "structured", 0.3, feeds=feeds)
    assert made.path.stat().st_size < 0.7 * whole.stat().st_size
    assert onnx_accuracy(made.path) > onnx_accuracy(whole) - 0.05


@pytest.mark.parametrize("method", ["unstructured", "magnitude", "2:4"])
def test_zeros_stay_while_it_is_trained(trained, method):
    pruned = prune_module(trained, EXAMPLE, method, 0.5, ignored=["head"])
    assert torch.equal(pruned.head.weight, trained.head.weight)
    assert set(pruned.state_dict()) == set(trained.state_dict())  # nothing is left of the masks
    weights = [pruned.stem[0], pruned.block.each, pruned.block.mix, pruned.down]
    zeros = [layer.weight == 0 for layer in weights]
    if method == "2:4":
        fours = pruned.down.weight.detach().movedim(1, -1).reshape(-1, 4)
        assert ((fours == 0).sum(1) == 2).all()
    else:
        assert torch.cat([zero.flatten() for zero in zeros]).float().mean() == pytest.approx(0.5, abs=0.01)
    hold_zeros(pruned)
    train(pruned, 5)
    assert all(torch.equal(layer.weight == 0, zero) for layer, zero in zip(weights, zeros, strict=True))
    assert not torch.equal(pruned.down.weight, trained.down.weight)


@pytest.mark.parametrize("method", ["static", "dynamic", "fp16"])
def test_a_network_is_quantised_like_a_file(trained, tmp_path, method):
    made = quantize_module(trained, EXAMPLE, tmp_path / "small.onnx", method, feeds=feeds)
    assert onnx_accuracy(made.path) > accuracy(trained) - 0.03


def test_an_open_batch(trained, tmp_path):
    path = export_module(trained, EXAMPLE, tmp_path / "open.onnx", open_batch=True)
    images, kinds = pictures(50, seed=2)
    answers = onnxruntime.InferenceSession(str(path)).run(None, {"input": images.numpy()})[0]
    assert (answers.argmax(1) == kinds.numpy()).mean() > 0.8
    assert onnx.load(path).graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"


def test_what_cannot_be_done_is_refused(trained, tmp_path):
    with pytest.raises(EdgeAIError, match=r"'tail'.*head"):
        prune_module(trained, EXAMPLE, "structured", 0.5, ignored=["tail"])
    with pytest.raises(EdgeAIError, match="between 0 and 1"):
        prune_module(trained, EXAMPLE, "structured", 50)
    with pytest.raises(ModelError, match="no channel that can be removed"):
        prune_module(trained, EXAMPLE, "structured", 0.5, ignored=["stem", "block", "down"])
    with pytest.raises(ModelError, match="exporting the network"):
        export_module(trained, torch.zeros(1, 3, 16, 16), tmp_path / "wrong.onnx")
    with pytest.raises(EdgeAIError, match="no calibration pictures"):
        quantize_module(trained, EXAMPLE, tmp_path / "int8.onnx", "static")
    assert list(tmp_path.iterdir()) == []


def test_the_mode_stays(trained, tmp_path):
    trained.train()
    try:
        assert prune_module(trained, EXAMPLE, "structured", 0.5).training
        export_module(trained, EXAMPLE, tmp_path / "whole.onnx")
        assert trained.training
    finally:
        trained.eval()
