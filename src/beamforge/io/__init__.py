"""Reading and writing stacks and labels; formats are recognised by their content, not by their names."""

from beamforge.io.annotated_pictures import AnnotatedPicture, open_annotated_pictures
from beamforge.io.inspection import Inspection, inspect_file
from beamforge.io.label_writer import LabelWriter, open_label_writer
from beamforge.io.labels import named_classes, open_label_volume, open_labels
from beamforge.io.pictures import open_picture, open_pictures, picture_files
from beamforge.io.reader import Reader
from beamforge.io.saving import save_labels, save_stack
from beamforge.io.stacks import open_stack

__all__ = [
    "AnnotatedPicture",
    "Inspection",
    "LabelWriter",
    "Reader",
    "inspect_file",
    "named_classes",
    "open_annotated_pictures",
    "open_label_volume",
    "open_label_writer",
    "open_labels",
    "open_picture",
    "open_pictures",
    "open_stack",
    "picture_files",
    "save_labels",
    "save_stack",
]
