"""Comparing two benchmark results."""

from tests.benchmarks.compare import figures, rows


def test_figures_are_named_by_their_path_and_the_machines_own_are_left_out() -> None:
    result = {"machine": {"cores": 2}, "final_ms": {"p50": 14, "n": 3}, "right": True, "note": "text"}
    assert list(figures(result)) == [("final_ms.p50", 14.0), ("final_ms.n", 3.0)]


def test_only_what_both_results_have_is_compared() -> None:
    assert rows({"a": 1, "gone": 2}, {"a": 3, "new": 4}) == [("a", 1.0, 3.0)]
