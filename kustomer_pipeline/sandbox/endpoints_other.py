"""Keys, tags, metadata and search (docs/kustomer.md sections 1.3, 6, 8 and 9)."""

from __future__ import annotations

import math

from .call import Answer, Call
from .criteria import MAX_ITEMS, SearchOptions
from .errors import bad_parameter, forbidden, not_found
from .present import list_json, tag_json
from .present_users import token_json, user_json
from .schema import METADATA, TAG
from .search import MAX_PAGE_SIZE, MAX_RECORDS, check_page
from .validation import validate


def get_token(call: Call) -> Answer:
    """GET /v1/auth/tokens/current"""
    assert call.key is not None
    return Answer(200, {"data": token_json(call.state, call.key, call.roles, call.now)})


def get_user(call: Call) -> Answer:
    """GET /v1/users/current"""
    assert call.key is not None
    return Answer(200, {"data": user_json(call.state, call.key, call.roles)})


def list_tags(call: Call) -> Answer:
    """GET /v1/tags?deleted=false&page=1&pageSize=50; without `deleted`, the deleted ones are there too."""
    deleted = call.query.get("deleted")
    if deleted not in (None, "true", "false"):
        raise bad_parameter("Not one of the allowed values", "deleted")
    tags = list(call.state.store.tags.by_id.values())
    if deleted is not None:
        tags = [tag for tag in tags if (tag.deleted_at is not None) == (deleted == "true")]
    return call.list_answer(tags, lambda tag: tag_json(call.state, tag))


def create_tag(call: Call) -> Answer:
    """POST /v1/tags {"name": …, "color"?: …}"""
    if call.fault("tags_post_missing"):
        raise not_found()
    validate(call.body, TAG)
    tag = call.state.store.tags.create(call.body["name"], color=call.body.get("color"), by=call.user_id, now=call.now)
    return Answer(201, {"data": tag_json(call.state, tag)})


def get_metadata(call: Call) -> Answer:
    """GET /v1/metadata/{resource}"""
    (resource,) = call.variables
    metadata = call.state.store.metadata
    if not metadata.knows(resource):
        raise not_found("resource")
    data = {
        "type": "metadata",
        "id": resource,
        "attributes": {"properties": metadata.of(resource)},
        "relationships": {"org": call.state.org_reference()},
        "links": {"self": f"/v1/metadata/{resource}"},
    }
    return Answer(200, {"data": data})


def put_metadata(call: Call) -> Answer:
    """PUT /v1/metadata/{resource} {"properties": {…}}: adds or changes declarations; nothing else has an effect"""
    (resource,) = call.variables
    metadata = call.state.store.metadata
    if not metadata.knows(resource):
        raise not_found("resource")
    validate(call.body, METADATA)
    metadata.declare(resource, call.body.get("properties", {}), call.now)
    return get_metadata(call)


def search(call: Call) -> Answer:
    """POST /v1/customers/search?page=1&pageSize=100&idsOnly=true"""
    return _search(call, archived=False)


def search_archive(call: Call) -> Answer:
    """POST /v1/customers/archive/search: what was last touched more than two years ago"""
    return _search(call, archived=True)


def _search(call: Call, *, archived: bool) -> Answer:
    if call.fault("search_forbidden"):
        raise forbidden("org.permission.search.create")
    if call.fault("search_context_required") and isinstance(call.body, dict) and "queryContext" not in call.body:
        raise bad_parameter("Required property is missing", "queryContext", "/required")
    page, size = call.page(maximum=call.setting("search_page_size", MAX_PAGE_SIZE))
    reached = call.setting("search_record_limit", MAX_RECORDS)
    check_page(page, size, reached)
    options = SearchOptions(
        lag=call.setting("search_lag", 0.0),
        analysed=not call.fault("search_exact"),
        archived=archived,
        in_refused=bool(call.fault("search_in_refused")),
        in_ignored=bool(call.fault("search_in_ignored")),
        or_limit=call.setting("search_or_limit", None),
        item_limit=None if archived else MAX_ITEMS,
        criteria_limit=None if archived else call.setting("search_criteria_limit", None),
    )
    found = call.state.search.run(call.body, call.now, options)
    total = len(found)
    last = math.ceil(total / size)  # also beyond the last page that may be asked for
    on_page = found[(page - 1) * size : min(page * size, reached)]
    ids_only = call.query.get("idsOnly") == "true"
    data = [record.id if ids_only else call.show(record) for record in on_page]
    answer = list_json(
        data, link=call.link(size), page=page, page_size=size, total=total, reports_total=True, last=last
    )
    answer["meta"].update(aggregations={}, timed_out=False)
    return Answer(200, answer)
