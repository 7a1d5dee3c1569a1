"""How good answers are, and what a change of a model costs: truth, metrics and how sure they are."""

from edge_ai.evaluation.agreement import truth_from as truth_from
from edge_ai.evaluation.compare import ClassScore as ClassScore
from edge_ai.evaluation.compare import Comparison as Comparison
from edge_ai.evaluation.compare import Estimate as Estimate
from edge_ai.evaluation.compare import compare as compare
from edge_ai.evaluation.compare import score as score
from edge_ai.evaluation.labels import load_coco as load_coco
from edge_ai.evaluation.truth import LabelError as LabelError
from edge_ai.evaluation.truth import Picture as Picture
from edge_ai.evaluation.truth import Task as Task
from edge_ai.evaluation.truth import Truth as Truth
