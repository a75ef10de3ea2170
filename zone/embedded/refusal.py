"""How a private server says no: one sentence on stderr and exit code 1, never a trace."""

import errno
from pathlib import Path


class CannotStart(SystemExit):
    """The program ends with this sentence: what is wrong, and what to do next."""

    def __init__(self, sentence: str) -> None:
        super().__init__(f"Apple Zone cannot start: {sentence}")
        self.sentence = sentence


def about_folder(folder: Path, error: OSError) -> CannotStart:
    """The sentence for a folder that cannot be used."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return no_space(folder)
    why = error.strerror or str(error)
    return CannotStart(
        f"the data folder {folder} cannot be written ({why.lower()}). "
        "Name another one with ZONE_DATA."
    )


def no_space(folder: Path) -> CannotStart:
    """The sentence for a full disk."""
    return CannotStart(
        f"the disk that holds {folder} is full. "
        "Free some space, or name a folder on another disk with ZONE_DATA."
    )
