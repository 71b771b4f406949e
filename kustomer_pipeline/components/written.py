"""What stands in a `defs.yaml` → the object that it describes, or every mistake with its file and line."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import dagster as dg
from pydantic import BaseModel, ConfigDict, ValidationError

from .sync_config import SyncConfigError, problems_in, raise_located
from .templates import rendered

_Built = TypeVar("_Built", bound=BaseModel)


def spec_of(component: type) -> dg.ComponentTypeSpec:
    """The page of a component: its docstring, whom to ask, and what to find it by."""
    return dg.ComponentTypeSpec(
        description=inspect.getdoc(component),
        owners=["team:kustomer_pipeline"],
        tags=["kustomer", "reverse-etl", "crm"],
    )


def as_written(schema: type[BaseModel]) -> type[BaseModel]:
    """A model that shows this schema and lets every value pass: our own checks name all mistakes at once."""

    class AsWritten(BaseModel):
        model_config = ConfigDict(extra="allow")

        @classmethod
        def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
            return schema.model_json_schema(*args, **kwargs)

    AsWritten.__name__ = schema.__name__
    return AsWritten


def load_written(
    context: dg.ComponentLoadContext,
    attributes: BaseModel | None,
    schema: type[BaseModel],
    build: Callable[[dict[str, Any]], _Built],
) -> _Built:
    """The object that `build` makes of the attributes, their templates rendered. `schema` knows them.

    Raises SyncConfigError, with the file and line of each mistake.
    """
    positions = context.resolution_context.source_position_tree
    try:
        written = (attributes.model_extra if attributes is not None else None) or {}
        try:
            return build(rendered(written, context.resolution_context))
        except ValidationError as error:
            raise SyncConfigError("", list(problems_in(error, schema))) from None
    except SyncConfigError as error:
        if positions is None:
            raise
        raise_located(error, positions)
