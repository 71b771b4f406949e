"""Warehouse tables in, Kustomer customers, companies and audience tags out: a Dagster project.

In YAML: `type: kustomer_pipeline.ObjectSync` or `kustomer_pipeline.AudienceSync` in a folder of `defs/`.
In Python: `build_definitions([ObjectSync(name="customers", …), AudienceSync(name="vip", …)])`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kustomer_pipeline.components import AudienceSync, KustomerProject, ObjectSync, build_definitions

__all__ = ["AudienceSync", "KustomerProject", "ObjectSync", "build_definitions"]


def __getattr__(name: str) -> Any:
    """Import the components when somebody asks for them.

    The client, the engine and the sandbox live in this package and know nothing of Dagster: they should not
    wait for its import, which takes longer than theirs together.
    """
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from kustomer_pipeline import components

    return getattr(components, name)


def __dir__() -> list[str]:
    """So that Dagster's tools, which look for component types by `dir`, find them."""
    return sorted({*globals(), *__all__})
