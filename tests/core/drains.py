"""A drain that leaves a mark, for the test of the timer."""

import os
from pathlib import Path


def leave_a_mark() -> None:
    with Path(os.environ["TEST_DRAIN_FILE"]).open("a", encoding="utf-8") as marks:
        marks.write("drained\n")
