"""Who is this row in Kustomer, and what do the things it refers to have for ids? Cheap ways first, live records decide."""

from .finder import Finder, Hints, hints_of
from .ladder import judge
from .links import CompanyLinks
from .resolver import Resolver
from .tags import TagNames, find_tag

__all__ = ["CompanyLinks", "Finder", "Hints", "Resolver", "TagNames", "find_tag", "hints_of", "judge"]
