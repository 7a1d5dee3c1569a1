"""models/README.md: its table names every key, its defaults are the real ones, its examples work."""

import re
from pathlib import Path

import pytest
import yaml

from edge_ai.processing.card import ModelCard
from edge_ai.processing.decode.registry import DECODERS
from edge_ai.processing.serving import ServingSpec
from edge_ai.processing.spec import InputSpec, NmsSpec

MODELS = Path(__file__).parents[2] / "models"
TEXT = (MODELS / "README.md").read_text(encoding="utf-8")
EXAMPLES = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)]
NESTED = {"input": InputSpec, "nms": NmsSpec, "serving": ServingSpec}


def table(text, header):
    """The rows of the table whose first column is called so: first column to third column."""
    lines = text.split(f"| {header} |")[1].splitlines()[2:]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[: lines.index("")]]
    return {row[0].strip("`"): row for row in rows}


def same_default(written, field):
    written = written.strip("` ").replace("1/2", "0.5").replace("1/3", str(1 / 3))
    if field.is_required():
        return written == ""
    value = list(field.default) if isinstance(field.default, tuple) else field.default
    return yaml.safe_load(written) == value


def test_the_table_of_keys_is_complete_and_true():
    rows = table(TEXT, "key")
    wanted = {}
    for name, field in ModelCard.model_fields.items():
        if name in NESTED:
            wanted |= {f"{name}.{inner}": f for inner, f in NESTED[name].model_fields.items()}
        elif name == "decoder":
            wanted["decoder.family"] = field
        else:
            wanted[name] = field
    assert list(rows) == list(wanted)
    assert {name: rows[name][2] for name in wanted if not same_default(rows[name][2], wanted[name])} == {}


@pytest.mark.parametrize("family", DECODERS.names())
def test_every_family_has_its_options_in_a_table_and_an_example(family):
    section = TEXT.split(f"\n### {family}: ")[1].split("\n### ")[0]
    fields = {k: f for k, f in DECODERS.load(family).OPTIONS.model_fields.items() if k != "family"}
    rows = table(section, "option")
    assert list(rows) == list(fields)
    assert {name: rows[name][1] for name in fields if not same_default(rows[name][1], fields[name])} == {}
    assert family in [example["decoder"]["family"] for example in EXAMPLES]


@pytest.mark.parametrize("values", EXAMPLES, ids=lambda values: values["name"])
def test_every_example_is_a_valid_card_with_a_decoder(values):
    card = ModelCard.parse(values, folder=MODELS, owner="README.md")
    decoder = card.make_decoder()
    assert decoder.options.family == values["decoder"]["family"]
    assert card.input.shape[2:] == card.input.size[::-1] or card.input.layout == "nhwc"


def test_the_example_of_serving_is_one():
    (values,) = [example for example in EXAMPLES if "serving" in example]
    card = ModelCard.parse(values, folder=MODELS, owner="README.md")
    assert card.serving == ServingSpec(model="forklifts_x", version="3", input="jpeg", answers="detections")
