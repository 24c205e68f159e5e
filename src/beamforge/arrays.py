"""NumPy arrays as fields of pydantic models.

An array field is read-only, accepts nested lists (so that one JSON file can hold it) and is written as nested lists
in JSON mode; in Python mode it stays an array, so that large ones can be stored beside the JSON. Integer fields refuse
values that a cast would change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Integers = NDArray[np.integer[Any]]


def _read_only(dtype: type[np.generic]) -> Callable[[Any], NDArray[Any]]:
    def validate(value: Any) -> NDArray[Any]:
        try:
            with np.errstate(invalid="ignore"):
                array = np.array(value, dtype=dtype)
        except (TypeError, OverflowError) as error:
            # pydantic reports ValueErrors with their place and lets any other kind through.
            raise ValueError(f"not an array of {np.dtype(dtype).name}: {error}") from error
        if np.issubdtype(dtype, np.integer) and not np.array_equal(array, np.asarray(value)):
            raise ValueError(
                f"holds values that {np.dtype(dtype).name} cannot hold, expected whole numbers in its range"
            )
        array.flags.writeable = False
        return array

    return validate


def _as_lists(array: NDArray[Any]) -> Any:
    return array.tolist()


_SCHEMA = WithJsonSchema({"type": "array"})
_TO_LISTS = PlainSerializer(_as_lists, when_used="json")

Float64Field = Annotated[np.ndarray, BeforeValidator(_read_only(np.float64)), _TO_LISTS, _SCHEMA]
Float32Field = Annotated[np.ndarray, BeforeValidator(_read_only(np.float32)), _TO_LISTS, _SCHEMA]
Int64Field = Annotated[np.ndarray, BeforeValidator(_read_only(np.int64)), _TO_LISTS, _SCHEMA]
UInt8Field = Annotated[np.ndarray, BeforeValidator(_read_only(np.uint8)), _TO_LISTS, _SCHEMA]


def split_arrays(tree: Any, prefix: str = "") -> tuple[Any, dict[str, NDArray[Any]]]:
    """Take every array out of a tree of dicts and lists.

    Parameters
    ----------
    tree
        Nested dicts, lists, scalars and arrays.
    prefix
        Name of this tree inside a larger one.

    Returns
    -------
    tree
        The same tree, JSON-able, each array replaced by ``{"array": NAME}``.
    arrays
        The arrays by name; a name is the dotted path to the array's place.
    """
    if isinstance(tree, np.ndarray):
        return {"array": prefix}, {prefix: tree}
    if isinstance(tree, np.generic):
        return tree.item(), {}
    if isinstance(tree, Mapping):
        items: list[tuple[Any, Any]] = list(tree.items())
    elif isinstance(tree, list | tuple):
        items = list(enumerate(tree))
    else:
        return tree, {}
    arrays: dict[str, NDArray[Any]] = {}
    plain: dict[Any, Any] = {}
    for key, value in items:
        plain[key], found = split_arrays(value, f"{prefix}.{key}" if prefix else str(key))
        arrays.update(found)
    return (plain if isinstance(tree, Mapping) else list(plain.values())), arrays


def join_arrays(tree: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    """Put the arrays that `split_arrays` took out back in their places.

    Raises
    ------
    KeyError
        If the tree names an array that is not among `arrays`.
    """
    if isinstance(tree, Mapping):
        if set(tree) == {"array"} and isinstance(tree["array"], str):
            return arrays[tree["array"]]
        return {key: join_arrays(value, arrays) for key, value in tree.items()}
    if isinstance(tree, list):
        return [join_arrays(value, arrays) for value in tree]
    return tree
