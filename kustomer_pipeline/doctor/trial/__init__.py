"""--write-to: what only writes settle, tried on one record that the user names, which is put back afterwards.

    read → may it be put back safely? → say what will be done → each trial, undone at once → put back, and verified

Nothing is made that could not be removed: no record, no tag, no attribute. Most trials send the values that are there
already, so that their worst outcome changes nothing; the others send one list without its last item, one attribute as
null, and one update without `company`.
"""

from .trial import tried

__all__ = ["tried"]
