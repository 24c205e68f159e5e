"""What a segmentation is for: scores of whole images beside the overlap of classes, by name, a module each."""

from __future__ import annotations

from beamforge.evaluation.tasks.base import TASKS, Task, judge_task

__all__ = ["TASKS", "Task", "judge_task"]
