"""Every mistake in a `defs.yaml` is reported when it is loaded: file, line, and what to write instead."""

import textwrap

import pytest

from kustomer_pipeline.components import SyncConfigError

from .conftest import Project

CUSTOMERS = """\
type: kustomer_pipeline.ObjectSync
attributes:
  object: customers
  query: select 1
  match_on: [email]
  fields:
    email: email
    company: {column: account_id}
"""
VIP = """\
type: kustomer_pipeline.AudienceSync
attributes:
  query: select 1
  tag: vip
  mode: mirror
  match_on: [email]
  fields: {email: email}
"""

# What is written, what is written instead, the line of the mistake, what the message says.
MISTAKES_IN_RECORDS = [
    ("  query:", "  qurey:", 4, 'qurey: is not a known key. Did you mean "query"? Known keys: query, '),
    ("object: customers", "object: customer", 3, "'customer' is not allowed; use customers or companies"),
    ("  query:", "  mode: upsrt\n  query:", 4, 'use upsert, insert or update. Did you mean "upsert"?'),
    ("  query:", "  nulls: drop\n  query:", 4, "nulls: 'drop' is not allowed; use keep or clear"),
    ("email: email", "emial: email", 7, "customers have no field 'emial'; did you mean email"),
    ("    company", "    custom.plan: p\n    company", 8, "custom.plan is not the name of a custom"),
    ("email: email", "email:", 7, "write a column, a list of columns, or {column"),
    ("email: email", "email: 1", 7, "write a column, a list of columns, or {column"),
    ("email: email", "email: []", 7, "fields.email: is empty"),
    ("{column: account_id}", "{colum: account_id}", 8, 'Did you mean "column"?'),
    ("{column: account_id}", "{column: a, columns: [b]}", 8, "write either column or columns, not both"),
    ("{column: account_id}", "{column: a, match: domain}", 8, "use externalId, name or id"),
    ("{column: account_id}", "{column: a, write: never}", 8, "use overwrite or if_empty"),
    ("{column: account_id}", "[a, b]", 8, "company takes one column"),
    ("    company", "    name: {column: n, match: id}\n    company", 8, "match belongs to company only"),
    ("    company", "    name: {column: n, missing: reject}\n    company", 8, "missing belongs to company only"),
    ("{column: account_id}", "{column: a, missing: ignore}", 8, "use reject or send_without"),
    ("{column: account_id}", "{column: a, match: id, missing: send_without}", 8, "by match: id"),
    ("{column: account_id}", "{column: a, show: perhaps}", 8, "show"),
    ("[email]", "[email, externalId]", 5, "match_on names externalId, which no column is mapped to"),
    ("[email]", "[company]", 5, "match_on 'company' cannot identify customers; use externalId, email"),
    ("[email]", "[]", 5, "match_on: is empty"),
    ("[email]", "email", 5, "has to be a list"),
    ("  match_on: [email]\n", "", 2, "match_on: is missing. How a row is recognised in Kustomer"),
    ("  query: select 1\n", "", 2, "write query (SQL), query_file (a file with SQL) or source"),
    ("query: select 1", "query: ''", 4, "the query is empty"),
    ("query: select 1", "query_file: no.sql", 4, "there is no file"),
    ("  query:", "  query_file: x.sql\n  query:", 4, "keep one of both"),
    ("  query:", "  max_failure_share: 1.5\n  query:", 4, "1.5 is out of range: less than or equal to 1"),
    ("  query:", "  max_failure_share: .nan\n  query:", 4, "out of range"),
    ("  query:", "  max_failure_share: few\n  query:", 4, "has to be a number"),
    ("  query:", "  default_region: UK\n  query:", 4, "two capital letters such as US, GB or DE"),
    ("  query:", "  default_region: NO\n  query:", 4, 'YAML reads NO as "false"; write "NO"'),
    ("  query:", "  owners: [joe]\n  query:", 4, "'joe' is not an owner: an e-mail address, or team:<name>"),
    ("  query:", '  schedule: {cron: "61 6 * * *"}\n  query:', 4, "'61 6 * * *' is not a cron expression"),
    ("  query:", '  schedule: {cron: "0 6 * * *", timezone: Bern}\n  query:', 4, "'Bern' is not a time zone"),
    ("  query:", "  schedule: daily\n  query:", 4, "has to be keys and values"),
    ("  query:", "  watch: {table: customers}\n  query:", 4, "watch.updated_at: is missing."),
    ("  query:", "  watch:\n    table: c\n    updated_at: u\n    every: 0\n  query:", 7, "every: 0 is out"),
    ("  query:", "  log_to: kustomer_sync\n  query:", 4, "log_to: has to be keys and values"),
    ("  query:", "  log_to: {}\n  query:", 4, "log_to.schema: is missing. The schema of the warehouse for the tables"),
    ("  query:", "  log_to:\n    schemas: x\n  query:", 5, 'Did you mean "schema"? Known keys: schema'),
    ("  query:", "  log_to:\n    schema_: x\n  query:", 5, 'schema_: is not a known key. Did you mean "schema"?'),
    ("  query:", "  log_to: {schema: a.b}\n  query:", 4, "'a.b' cannot be the name of a schema here: letters, digits"),
    ("  query:", "  log_to: {schema: 'x; drop'}\n  query:", 4, "cannot be the name of a schema here"),
    ("  query:", "  log_to: {schema: 1a}\n  query:", 4, "not first a digit"),
    ("  query:", "  log_to: {schema: 7}\n  query:", 4, "log_to.schema: has to be text; put it in quotes"),
    ("  query:", "  read_back: -1\n  query:", 4, "read_back: -1 is out of range: greater than or equal to 0"),
    ("  query:", "  read_back: some\n  query:", 4, "read_back: has to be a whole number"),
    ("  query:", "  max_changes: {share: 2}\n  query:", 4, "max_changes.share: 2 is out of range"),
    ("  query:", "  max_changes: {count: -1}\n  query:", 4, "max_changes.count: -1 is out of range"),
    ("  query:", "  max_changes: {cuont: 5}\n  query:", 4, 'Did you mean "count"? Known keys: share, count'),
    ("  query:", "  max_changes: half\n  query:", 4, "max_changes: has to be keys and values"),
    ("  query:", "  max_deferred_share: 1.5\n  query:", 4, "max_deferred_share: 1.5 is out of range"),
    ("  query:", "  max_absent_share: 0.5\n  query:", 4, "max_absent_share: is not a known key"),
    ("  query:", "  renamed_from: customers\n  query:", 4, "'customers' is the sync's name now"),
    ("  query:", "  renamed_from: ''\n  query:", 4, "renamed_from: nothing is written here"),
    ("  query:", "  watch: {table: c, updated_at: u, at_least_every: -1}\n  query:", 4, "at_least_every: -1 is out"),
    ("  query:", "  watch: {by: metadata}\n  query:", 4, "watch.table: is missing. The table to watch"),
    ("  query:", "  watch: {table: c, by: metadta}\n  query:", 4, "watch.by: 'metadta' is not allowed; use metadata."),
    ("  query:", "  watch: {table: c, updated_at: u, by: metadata}\n  query:", 4, "watch.updated_at: by says already"),
    ("  query:", "  watch: {query: select 1 from c, updated_at: u}\n  query:", 4, "watch.updated_at: query says"),
    ("  query:", "  watch: {query: select 1 from c, by: metadata}\n  query:", 4, "watch.by: query says already what"),
    ("  query:", "  watch: {query: select load_id()}\n  query:", 4, "watch.query: it names no table after its from"),
    ("  query:", "  watch:\n    query: ''\n  query:", 5, "watch.query: nothing is written here"),
    ("  query:", "  drift: daily\n  query:", 4, "drift: has to be keys and values"),
    ("  query:", "  drift: {evry: 1d}\n  query:", 4, 'Did you mean "every"? Known keys: every, sample'),
    ("  query:", "  drift: {every: daily}\n  query:", 4, "a whole number and m, h, d or w"),
    ("  query:", "  drift: {every: 1m}\n  query:", 4, "drift.every: a look costs requests of the org's budget: 15m"),
    ("  query:", "  drift:\n    sample: 0\n  query:", 5, "drift.sample: 0 is not allowed; use a whole number"),
    ("  query:", "  drift: {sample: most}\n  query:", 4, "'most' is not allowed; use a whole number of records"),
    ("  query:", "  drift: {sample: true}\n  query:", 4, "drift.sample: True is not allowed"),
    ("  query:", "  on_drift: restore\n  query:", 4, "on_drift: nothing looks for drift: write drift as well"),
    ("  query:", "  drift: {}\n  on_drift: undo\n  query:", 5, "use report, restore or accept"),
    ("  query:", "  on_deleted: forget\n  query:", 4, "on_deleted: nothing looks for drift: write drift as well"),
    ("  query:", "  mode: insert\n  drift: {}\n  on_drift: restore\n  query:", 6, "mode: insert changes no record"),
    ("  query:", "  mode: update\n  drift: {}\n  on_deleted: recreate\n  query:", 6, "mode: update creates no record"),
    ("  query:", "  name: x\n  query:", 4, "the folder's name is the sync's"),
    ("select 1", "'{{ env.NOT_SET_ANYWHERE }}'", 4, "gives nothing; is the variable set?"),
    ("select 1", "'{{ nothing.at_all }}'", 4, "'nothing' not found"),
    ("    email: email\n", "    name: full_name\n", 5, "match_on names email"),
    ("attributes:", "atributes:", 2, 'atributes: is not a known key. Did you mean "attributes"?'),
    ("type: ", "typ: ", 1, "type is missing; write type: kustomer_pipeline.ObjectSync or"),
    ("ObjectSync", "ObjetSync", 1, 'Did you mean "kustomer_pipeline.ObjectSync"?'),
    ("kustomer_pipeline.", "", 1, "no component ObjectSync. This project has kustomer_pipeline.ObjectSync"),
    ("  query", "\tquery", 4, "there is a tab; indent with blanks"),
    ("  query", "  mode: update\n  mode: upsert\n  query", 5, "mode is written twice (first in line 4)"),
    ("    company", "    email: other\n    company", 8, "email is written twice (first in line 7)"),
    ("  query", "  schedule: {cron: * * * * *}\n  query", 4, "has to be in quotes"),
    ("select 1", "select a: b", 4, "a value that holds a colon has to be in quotes"),
]  # fmt: skip
MISTAKES_IN_AUDIENCES = [
    ("  tag: vip\n", "", 2, "tag: is missing. The name of the tag that the members get."),
    ("tag: vip", "tag: a & b", 4, "'a & b' cannot be the name of a tag: 1 to 64 letters"),
    ("tag: vip", f"tag: {'x' * 65}", 4, "cannot be the name of a tag"),
    ("tag: vip", "tag: 2024", 4, "tag: has to be text; put it in quotes"),
    ("tag: vip", "tag: 507f1f77bcf86cd799439011", 4, "looks like the id of a tag"),
    ("tag: vip", "tag:", 4, "tag: has to be text; nothing is written here"),
    ("mode: mirror", "mode: miror", 5, 'use add, remove or mirror. Did you mean "mirror"?'),
    ("  mode:", "  mirror_scope: all\n  mode:", 5, "use owned or tag"),
    ("  mode:", "  max_removals: {share: 20}\n  mode:", 5, "max_removals.share: 20 is out of range"),
    ("  mode:", "  max_removals: {cuont: 20}\n  mode:", 5, 'Did you mean "count"? Known keys: share, count'),
    ("  mode:", "  log_to: {schema: a-b}\n  mode:", 5, "'a-b' cannot be the name of a schema here"),
    ("  mode:", "  read_back: 1.5\n  mode:", 5, "has to be a whole number"),
    ("  mode:", "  object: company\n  mode:", 5, "'company' is not allowed; use customers or companies"),
    ("  mode:", "  object: companies\n  mode:", 8, "companies have no field 'email'"),
    ("  mode:", "  max_absent_share: 2\n  mode:", 5, "max_absent_share: 2 is out of range"),
    ("  mode:", "  max_changes: {share: 0.5}\n  mode:", 5, "max_changes: is not a known key"),
    ("  mode:", "  nulls: keep\n  mode:", 5, "nulls: is not a known key"),
    ("{email: email}", "{email: email, name: n}", 7, "so name would be ignored: remove it"),
    ("[email]", "[phone]", 6, "match_on names phone, which no column is mapped to"),
]  # fmt: skip


def message(project: Project) -> str:
    with pytest.raises(SyncConfigError) as caught:
        project.load()
    return str(caught.value)


def changed(text: str, before: str, after: str) -> str:
    assert before in text
    return text.replace(before, after)


@pytest.mark.parametrize("before, after, line, advice", MISTAKES_IN_RECORDS)
def test_a_mistake_in_a_sync_of_records(project: Project, before: str, after: str, line: int, advice: str) -> None:
    file = project.write("customers/defs.yaml", changed(CUSTOMERS, before, after))
    text = message(project)
    assert f"{file}:{line}  " in text
    assert advice in text


@pytest.mark.parametrize("before, after, line, advice", MISTAKES_IN_AUDIENCES)
def test_a_mistake_in_an_audience(project: Project, before: str, after: str, line: int, advice: str) -> None:
    file = project.write("vip/defs.yaml", changed(VIP, before, after))
    text = message(project)
    assert f"{file}:{line}  " in text
    assert advice in text


@pytest.mark.parametrize("object, field", [("customers", "email"), ("companies", "name")])
@pytest.mark.parametrize("mode", ["upsert", "insert"])
def test_creating_needs_the_required_field(project: Project, object: str, field: str, mode: str) -> None:
    text = textwrap.dedent(f"""\
        type: kustomer_pipeline.ObjectSync
        attributes:
          object: {object}
          mode: {mode}
          query: select 1
          match_on: [externalId]
          fields: {{externalId: id}}
        """)
    file = project.write("some/defs.yaml", text)
    assert f"{file}:7  fields: {object} need {field} to be created" in message(project)
    file.write_text(text.replace(f"mode: {mode}", "mode: update"))
    project.load()


def test_all_mistakes_of_a_sync_are_reported_at_once_in_the_order_of_the_file(project: Project) -> None:
    text = changed(CUSTOMERS, "object: customers", "object: customer").replace("account_id}", "a, wrte: x}")
    file = project.write("customers/defs.yaml", text + "  mod: upsert\n")
    title, *lines = message(project).splitlines()
    assert title == "The sync 'customers' cannot be loaded:"
    assert [line.split("  ")[1] for line in lines] == [f"{file}:3", f"{file}:8", f"{file}:9"]


def test_unknown_fields_are_all_named(project: Project) -> None:
    project.write("customers/defs.yaml", changed(CUSTOMERS, "    company", "    fone: p\n    adress: a\n    company"))
    text = message(project)
    assert "no field 'fone'" in text
    assert "no field 'adress'" in text


@pytest.mark.parametrize(
    "text, what",
    [("", "is empty"), ("# nothing yet\n", "is empty"), ("- a list\n", "holds a list, not keys and values")],
)
def test_a_file_without_a_sync_is_a_mistake(project: Project, text: str, what: str) -> None:
    file = project.write("customers/defs.yaml", text)
    assert f"{file}:1  {what}; write type: kustomer_pipeline.ObjectSync or" in message(project)


def test_a_file_that_is_not_utf8_is_a_mistake(project: Project) -> None:
    file = project.write("customers/defs.yaml", "")
    file.write_bytes(b"type: caf\xe9")
    assert f"{file}:1  is not UTF-8 text" in message(project)


def test_a_type_without_attributes_says_what_is_missing(project: Project) -> None:
    file = project.write("customers/defs.yaml", "type: kustomer_pipeline.ObjectSync\n")
    text = message(project)
    for key in ("object", "match_on", "fields"):
        assert f"{file}:1  {key}: is missing" in text


def test_two_syncs_in_one_file_would_have_one_name(project: Project) -> None:
    file = project.write("customers/defs.yaml", f"{CUSTOMERS}---\n{CUSTOMERS}")
    assert f"{file}:1  holds 2 syncs; give each a folder of its own" in message(project)


def test_two_folders_with_one_name_are_a_mistake(project: Project) -> None:
    first = project.write("eu/customers/defs.yaml", CUSTOMERS)
    second = project.write("us/customers/defs.yaml", CUSTOMERS)
    assert f"{second}:1  is in a folder named customers, as is {first}" in message(project)


@pytest.mark.parametrize("name", ["vip-customers", "vip customers", "kundschaft-ä"])
def test_a_folder_name_that_cannot_be_a_sync_is_a_mistake(project: Project, name: str) -> None:
    file = project.write(f"{name}/defs.yaml", CUSTOMERS)
    assert f"{file}:1  {name!r} cannot be the name of a sync: use letters, digits and _ only" in message(project)


def test_a_sync_cannot_take_the_name_of_the_job_over_all(project: Project) -> None:
    project.write("all/defs.yaml", CUSTOMERS)
    assert "sync_all is the job that runs every sync" in message(project)


def test_mistakes_in_several_files_are_reported_together(project: Project) -> None:
    first = project.write("customers/defs.yaml", changed(CUSTOMERS, "type: ", "typ: "))
    second = project.write("vip/defs.yaml", changed(VIP, "  tag", "\ttag"))
    text = message(project)
    assert f"{first}:1" in text
    assert f"{second}:4" in text


TWICE = "'vip', on customers, and a mirror among them untags the members of the others: give each a tag of its own"


def test_a_mirror_shares_its_tag_with_nobody(project: Project) -> None:
    first = project.write("vip/defs.yaml", VIP)
    second = project.write("gold/defs.yaml", VIP.replace("tag: vip", "tag: VIP").replace("mode: mirror", "mode: add"))
    text = message(project)
    assert f"{first}:4  tag: gold and vip keep one tag, " in text
    assert f"{second}:4  tag: gold and vip keep one tag, " in text
    assert TWICE.replace("vip", "VIP") in text or TWICE in text


@pytest.mark.parametrize(
    "other",
    [
        VIP.replace("tag: vip", "tag: gold"),
        VIP.replace("tag: vip", "tag: vip\n  object: companies").replace("email", "name"),
    ],
)
def test_another_tag_or_another_object_is_no_conflict(project: Project, other: str) -> None:
    project.write("vip/defs.yaml", VIP)
    project.write("other/defs.yaml", other)
    project.load()


def test_two_audiences_that_only_add_may_share_a_tag(project: Project) -> None:
    for name in ("vip", "gold"):
        project.write(f"{name}/defs.yaml", VIP.replace("mode: mirror", "mode: add"))
    project.load()


def test_the_name_of_another_sync_is_not_a_former_one(project: Project) -> None:
    project.write("customers/defs.yaml", CUSTOMERS)
    file = project.write("vip/defs.yaml", f"{VIP}  renamed_from: customers\n")
    assert f"{file}:8  renamed_from: 'customers' is another sync of this project" in message(project)


def test_only_one_sync_can_have_had_a_name(project: Project) -> None:
    for name in ("vip", "gold"):
        project.write(f"{name}/defs.yaml", VIP.replace("tag: vip", f"tag: {name}") + "  renamed_from: old\n")
    assert "renamed_from: 2 syncs were named 'old', they say; only one can be what it was" in message(project)


def test_someone_elses_component_keeps_dagsters_own_error(project: Project) -> None:
    file = project.write("other/defs.yaml", "type: dagster.PythonScriptComponent\nattributes:\n  nothing: here\n")
    text = message(project)
    assert f"{file}:3  attributes.nothing: is not a known key" in text


@pytest.mark.parametrize("written", ["deps: [customers]", "source: customers"])
def test_an_asset_that_is_not_there_and_is_named_like_the_syncs_own_is_not_taken_for_it(
    project: Project, written: str
) -> None:
    """Dagster takes `kustomer/customers` for `customers` where nobody has an asset of that key: a circle."""
    text = CUSTOMERS.replace("query: select 1", written if "source" in written else f"query: select 1\n  {written}")
    file = project.write("customers/defs.yaml", text)
    said = message(project)
    assert f"{file}:{4 if 'source' in written else 5}  " in said
    assert "this project has no asset 'customers', and Dagster would take kustomer/customers for it" in said
    assert "such as analytics/customers" in said


def test_an_asset_of_the_projects_own_may_be_named_like_a_sync(project: Project) -> None:
    project.write("customers/defs.yaml", CUSTOMERS.replace("query:", "deps: [customers]\n  query:"))
    project.write("models.py", "import dagster as dg\ncustomers = dg.AssetSpec('customers')\n")
    project.load()


def test_a_sync_does_not_wait_for_itself(project: Project) -> None:
    text = CUSTOMERS.replace("query:", "deps: [kustomer/customers_rows]\n  query:")
    file = project.write("customers/defs.yaml", text)
    assert f"{file}:4  deps[0]: kustomer/customers_rows is made by this sync itself" in message(project)
