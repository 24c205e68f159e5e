"""Reading and writing stacks and labels; formats are recognised by their content, not by their names."""

from beamforge.io.label_writer import LabelWriter, open_label_writer
from beamforge.io.saving import save_labels, save_stack

__all__ = ["LabelWriter", "open_label_writer", "save_labels", "save_stack"]
