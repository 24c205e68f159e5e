import os
from pathlib import Path

import pytest

from beamforge.errors import InputError
from beamforge.io import open_labels, open_stack


@pytest.mark.parametrize("read", [open_stack, open_labels])
def test_a_pipe_is_refused_instead_of_waited_for(read, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "scan.tif")
    with pytest.raises(InputError, match="pipe or a device"):
        read(tmp_path / "scan.tif")
