"""Who is this row in Kustomer, and which ids have the things it refers to? Cheap ways first, live records decide."""

from .asking import Asking, own_key
from .explain import Explainer
from .finder import Finder
from .hints import Hints, hints_of
from .ladder import judge
from .links import CompanyLinks
from .resolver import Resolver
from .tags import TagNames, find_tag

__all__ = [
    "Asking",
    "CompanyLinks",
    "Explainer",
    "Finder",
    "Hints",
    "Resolver",
    "TagNames",
    "find_tag",
    "hints_of",
    "judge",
    "own_key",
]
