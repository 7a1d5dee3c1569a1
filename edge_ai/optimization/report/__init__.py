"""What came of making a model smaller, as one page to hand on."""

from edge_ai.optimization.report.page import write_report

__all__ = ["write_report"]
