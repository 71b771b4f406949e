"""What people do in Kustomer meanwhile: put records there, edit, merge and delete them. Costs nothing of the budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from .bodies import agent_schema
from .custom import Properties
from .records import Json
from .state import SandboxState
from .store import WriteOptions
from .validation import validate
from .view import Records

_Result = TypeVar("_Result")


class People:
    """The org as its agents and administrators see and change it."""

    def __init__(self, state: SandboxState) -> None:
        self.state = state
        self.customers: Mapping[str, Json] = Records(state, "customer")
        """The customers that are not deleted."""
        self.companies: Mapping[str, Json] = Records(state, "company")
        """All companies: like the API, also those with `deleted` true."""

    @property
    def tags(self) -> dict[str, Json]:
        """Tag id → name, color, deleted."""
        with self.state.lock:
            self.state.now()
            return {
                tag.id: {"name": tag.name, "color": tag.color, "deleted": tag.deleted_at is not None}
                for tag in self.state.store.tags.by_id.values()
            }

    def tag_names(self, record_id: str) -> list[str]:
        """The names of the tags of a customer or company."""
        kind = self._kind(record_id)
        with self.state.lock:
            self.state.now()
            store = self.state.store
            return [store.tags.by_id[tag].name for tag in store.records[kind][record_id].attributes.get("tags", ())]

    def seed_customer(self, **body: Any) -> str:
        """Put a customer into the org as an agent would; costs nothing. The body is that of POST /v1/customers;
        a phone may have no plus, as old ones have none.
        """
        return self._create("customer", body)

    def seed_company(self, **body: Any) -> str:
        """Put a company into the org as an agent would; costs nothing. The body is that of POST
        /v1/companies.
        """
        return self._create("company", body)

    def seed_parent(self, child: str, parent: str) -> str:
        """Put a company below another, in place of the parent that it has: the id of the edge."""
        hierarchy, by = self.state.store.hierarchy, self.state.agent_id
        return self._locked(lambda now: hierarchy.set_parent(child, parent, by=by, now=now).id)

    def seed_tag(self, name: str, color: str | None = None) -> str:
        """Put a tag into the org."""
        return self._locked(
            lambda now: self.state.store.tags.create(name, color=color, by=self.state.agent_id, now=now).id
        )

    def delete_tag(self, tag_id: str) -> None:
        """Delete a tag in the settings; records keep its id."""
        by = self.state.agent_id
        self._locked(lambda now: self.state.store.tags.delete(tag_id, by=by, now=now))

    def declare_custom(self, resource: str, **properties: Json) -> None:
        """Declare custom attributes: `declare_custom("customer", planStr={"type": "string", "enumeration":
        […]})`.
        """
        declared: Properties = properties
        self._locked(lambda now: self.state.store.metadata.declare(resource, declared, now))

    def agent_edit(self, record_id: str, **attributes: Any) -> int:
        """An agent changes attributes of a customer or company in the UI: the new `rev`. Costs nothing.

        The link to a company stays unless `company` is among the attributes.
        """
        return self._locked(lambda now: self._agent_edit(record_id, attributes, now))

    def touch(self, record_id: str) -> int:
        """Activity on the record, a message say, that changes no attribute: the new `rev`."""
        kind = self._kind(record_id)
        return self._locked(lambda now: self.state.store.touch(kind, record_id, now=now).rev)

    def agent_delete(self, record_id: str) -> None:
        """An agent deletes a customer or company in the UI."""
        if self._kind(record_id) == "company":
            self.agent_edit(record_id, deleted=True)
        else:
            by = self.state.agent_id
            self._locked(lambda now: self.state.store.delete("customer", record_id, by=by, now=now))

    def agent_merge(self, source_id: str, target_id: str) -> int:
        """An agent merges a customer into another, which gets its identifiers: the new `rev` of the target."""
        store, by = self.state.store, self.state.agent_id
        return self._locked(lambda now: store.merge(source_id, target_id, by=by, now=now).rev)

    def _kind(self, record_id: str) -> str:
        with self.state.lock:
            if self.state.store.find("customer", record_id):
                return "customer"
            if self.state.store.find("company", record_id):
                return "company"
        raise KeyError(record_id)

    def _create(self, kind: str, body: Json) -> str:
        validate(body, agent_schema(kind, create=True))
        store, by = self.state.store, self.state.agent_id
        return self._locked(lambda now: store.create(kind, body, by=by, now=now, options=WriteOptions()).id)

    def _agent_edit(self, record_id: str, attributes: Json, now: float) -> int:
        kind = self._kind(record_id)
        validate(attributes, agent_schema(kind, create=False))
        options = WriteOptions()
        by = self.state.agent_id
        return self.state.store.update(kind, record_id, attributes, by=by, now=now, options=options).rev

    def _locked(self, work: Callable[[float], _Result]) -> _Result:
        with self.state.lock:
            return work(self.state.now())
