"""What single updates do: one trial each, every one of them undone before the next."""

from __future__ import annotations

from typing import Any, Final

from kustomer_pipeline.kustomer import BadRequestError, ConflictError, NotFoundError

from ..findings import Finding, Level
from .subject import Subject

SECTION: Final = "writes"
# No identifiers: what is taken from one record for a moment may be given to another in that moment.
LISTS: Final = ("urls", "locations", "tags")
SCALARS: Final = ("timeZone", "locale", "defaultLang", "avatarUrl", "username", "gender")
_UNKNOWN = "kustomerPipelineDoctor"
_REFUSED = (BadRequestError, NotFoundError)


def list_to_try(subject: Subject) -> str | None:
    """The list whose last item is left out for a moment."""
    return next((name for name in LISTS if subject.before.get(name)), None)


def scalar_to_try(subject: Subject) -> str | None:
    """The attribute that is null for a moment."""
    return next((name for name in SCALARS if subject.before.get(name)), None)


def rehearsal(subject: Subject) -> list[str]:
    """Send what is there already, all that will be put back: what differs then. Raises BadRequestError if refused."""
    body: dict[str, Any] = {"company": subject.company}
    for name in (list_to_try(subject), scalar_to_try(subject)):
        if name is not None:
            body[name] = subject.before[name]
    subject.write(body)
    return subject.differences(subject.now())


def old_rev(subject: Subject) -> Finding:
    """An update with an outdated `rev` that changes nothing else."""
    rev = subject.now().rev
    if rev is None:
        return Finding(SECTION, "rev", Level.UNKNOWN, "the record has no rev")
    try:
        subject.write({"company": subject.company, "rev": rev - 1})
    except ConflictError:
        says = "is compared: an update of an outdated record is a 409, read again and decided anew"
        return Finding(SECTION, "rev", Level.OK, says, value="compared")
    except BadRequestError as error:
        says = f"is refused ({error.status}): updates go without it"
        return Finding(SECTION, "rev", Level.WARNING, says, value="refused")
    says = "is not compared: an edit between a run's read and its write may be overwritten"
    return Finding(SECTION, "rev", Level.WARNING, says, value="ignored")


def unknown_key(subject: Subject) -> Finding:
    """An attribute that there is none of, at the top."""
    try:
        subject.write({"company": subject.company, _UNKNOWN: "x"})
    except BadRequestError as error:
        return Finding(SECTION, "unknown attribute", Level.OK, f"is refused ({error.status})", value="refused")
    says = "is accepted, so Kustomer does not find misspelt ones; this project's own list of fields does"
    return Finding(SECTION, "unknown attribute", Level.OK, says, value="accepted")


def undeclared_custom(subject: Subject) -> Finding:
    """A custom attribute that nobody has declared; with null, so that none is made."""
    try:
        subject.write({"company": subject.company, "custom": {f"{_UNKNOWN}Str": None}})
    except BadRequestError as error:
        says = f"is refused ({error.status}): declare custom attributes before a sync writes them"
        return Finding(SECTION, "undeclared custom attribute", Level.OK, says, value="refused")
    says = "is accepted (tried with null)"
    return Finding(SECTION, "undeclared custom attribute", Level.OK, says, value="accepted")


def without_company(subject: Subject) -> Finding:
    """An update without `company`: does it take the link away?"""
    if subject.company is None:
        return Finding(SECTION, "company left out", Level.UNKNOWN, "the record has no company: name one that has")
    subject.touched.add("company")
    subject.write({"tags": subject.before.get("tags", [])})
    unlinked = subject.now().company_id is None
    subject.put_back()
    says = "takes the link away" if unlinked else "keeps the link"
    value = {"unlinks": unlinked}
    return Finding(SECTION, "company left out", Level.OK, f"{says}; company is always sent", value=value)


def shorter_list(subject: Subject) -> Finding:
    """A list without its last item: is it replaced, or are the two merged?"""
    name = list_to_try(subject)
    if name is None:
        says = f"the record has none of {', '.join(LISTS)}: name one that has"
        return Finding(SECTION, "lists", Level.UNKNOWN, says)
    subject.touched.add(name)
    subject.write({"company": subject.company, name: subject.before[name][:-1]}, "PATCH")
    replaced = name in subject.differences(subject.now())
    subject.put_back()
    if replaced:
        return Finding(
            SECTION, "lists", Level.OK, f"are replaced by what is sent (tried with {name})", value="replaced"
        )
    says = f"are merged with what is there (tried with {name}): nothing can be taken out of them, no tag either"
    advice = "Audiences with mode mirror or remove cannot untag in this org."
    return Finding(SECTION, "lists", Level.WARNING, says, advice, "merged")


def null_clears(subject: Subject) -> Finding:
    """An attribute sent as null."""
    name = scalar_to_try(subject)
    if name is None:
        says = f"the record has none of {', '.join(SCALARS)}: name one that has"
        return Finding(SECTION, "null", Level.UNKNOWN, says)
    subject.touched.add(name)
    try:
        subject.write({"company": subject.company, name: None})
    except _REFUSED as error:
        says = f"is refused ({error.status}, tried with {name}): nulls: clear cannot work"
        return Finding(SECTION, "null", Level.WARNING, says, value="refused")
    cleared = name in subject.differences(subject.now())
    subject.put_back()
    if cleared:
        return Finding(SECTION, "null", Level.OK, f"clears an attribute (tried with {name})", value="clears")
    says = f"leaves the attribute as it is (tried with {name}): nulls: clear does not work"
    return Finding(SECTION, "null", Level.WARNING, says, value="keeps")
