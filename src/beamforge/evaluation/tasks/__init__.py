"""What a segmentation is for: scores of whole images beside the overlap of classes, by name, a module each."""

from __future__ import annotations

from beamforge.evaluation.tasks.base import TASKS, Task, create_task, judge_task

__all__ = ["TASKS", "Task", "create_task", "judge_task"]
