"""What each file of corpus/syncs must say when it is loaded: of every mistake the line, and what to do."""

# Letters that look like others are the point of some files.
# ruff: noqa: RUF001

from __future__ import annotations

# Fine as they are, odd as some of them look.
LOADS = (
    "anchors_used_well",
    "audience_with_object",
    "byte_order_mark",
    "json_file",
    "merge_key",
    "old_mac_line_ends",
    "query_in_lines",
    "query_with_a_hash",
    "tag_date",
    "type_of_the_class_inside",
    "windows_line_ends",
)

_NO_QUERY = "the query is missing: write query (SQL), query_file (a file with SQL) or source (an upstream asset)"

# File → (line, a part of what is said of it), in the order of the message.

MISTAKES: dict[str, list[tuple[int, str]]] = {
    "a_bullet_too_many": [(6, "fields: has to be keys and values: {key: value}")],
    "a_list_at_the_top": [(1, "holds a list, not keys and values; write type: kustomer_pipeline.ObjectSync or")],
    "a_null_key": [(10, "a key is missing before the colon")],
    "a_number": [(1, "holds a value, not keys and values; write type: kustomer_pipeline.ObjectSync or")],
    "a_python_object": [(4, "query: !!python/object/apply:os.system is not known here; remove it")],
    "an_alias_of_nothing": [(5, "is not YAML: found undefined alias 'ids'")],
    "an_anchor_that_refers_to_itself": [(5, "match_on[1]: the anchor refers to itself; write the values out")],
    "an_unknown_yaml_tag": [
        (4, 'query: !env is not known here; for a variable of the environment write "{{ env.NAME }}"')
    ],
    "attributes_is_a_list": [(2, "attributes: has to be keys and values.")],
    "attributes_is_text": [(2, "attributes: has to be keys and values.")],
    "attributes_missing": [(1, "fields: is missing."), (1, "tag: is missing.")],
    "attributes_null": [(2, "fields: is missing."), (2, "object: is missing."), (2, "match_on: is missing.")],
    "audience_with_more_fields": [
        (7, "fields.name: an audience writes nothing but its tag, so name would be ignored: remove it, or"),
        (7, "fields.custom.planStr: an audience writes nothing but its tag, so custom.planStr would be"),
    ],
    "billion_laughs": [(5, "e: anchors and aliases make it too large; write out what is needed")],
    "billion_laughs_inside": [(14, "mode: anchors and aliases make it too large; write out what is needed")],
    "column_boolean": [(10, "fields.locale: write a column, a list of columns, or {column: …, write: …}")],
    "column_empty": [(9, "fields.name: nothing is written here")],
    "column_missing_in_long_form": [(9, "fields.name: name names no column")],
    "column_null": [(9, "fields.name: write a column, a list of columns, or {column: …, write: …}")],
    "column_number": [(9, "fields.name: write a column, a list of columns, or {column: …, write: …}")],
    "column_twice": [(8, "fields.email: email names the same column twice (email, email)")],
    "columns_empty": [(9, "fields.name.columns: is empty")],
    "columns_for_one": [(9, "fields.name: name takes one column, not 2 (first_name, last_name)")],
    "columns_nested": [(8, "fields.email[1]: has to be text")],
    "columns_null": [(8, "fields.email[1]: has to be text; nothing is written here")],
    "companies_by_email": [(5, "match_on[0]: match_on 'email' cannot identify companies; use externalId, name")],
    "companies_without_name": [(6, "fields: companies need name to be created; map it, or use mode: update")],
    "company_by_email": [(9, "fields.company.match: 'email' is not allowed; use externalId, name or id.")],
    "company_two_columns": [(9, "fields.company: company takes one column, not 2 (a, b)")],
    "control_character": [(9, "holds a character that YAML cannot hold (#x0007); remove it")],
    "count_below_zero": [(8, "max_removals.count: -1 is out of range: greater than or equal to 0")],
    "count_float": [(8, "max_removals.count: has to be a whole number")],
    "count_with_a_comma": [
        (8, "max_removals.000: a key has to be text; is there a comma too many? 1,000 is written 1000")
    ],
    "cron_hour_25": [
        (10, "schedule.cron: '0 25 * * *' is not a cron expression: five parts (minute, hour, day, month,")
    ],
    "cron_list": [(10, "schedule.cron: has to be text")],
    "cron_misspelt": [
        (10, 'schedule.cron: is missing. When to run, as a cron expression: "0 6 * * *" is six in the morning.'),
        (10, 'schedule.corn: is not a known key. Did you mean "cron"?'),
    ],
    "cron_number": [(10, "schedule.cron: has to be text; put it in quotes")],
    "cron_six_parts": [
        (10, "schedule.cron: '0 0 6 * * *' is not a cron expression: five parts (minute, hour, day, month,")
    ],
    "cron_without_quotes": [(11, "is not YAML: a value that begins with * or & has to be in quotes")],
    "cron_words": [(11, "schedule.cron: 'every day at six' is not a cron expression: five parts (minute, hour, day,")],
    "custom_empty": [
        (9, "fields.custom.: custom. is not the name of a custom attribute: letters and digits in camelCase,"),
        (10, "fields.custom.Str: custom.Str is not the name of a custom attribute: letters and digits in camelCase,"),
    ],
    "custom_nested": [(10, "fields.custom.planStr: write it as a field of its own, custom.planStr")],
    "custom_umlaut": [
        (9, "fields.custom.größeNum: custom.größeNum is not the name of a custom attribute: letters and digits")
    ],
    "custom_without_type": [
        (9, "fields.custom.plan: custom.plan is not the name of a custom attribute: letters and digits in camelCase,")
    ],
    "custom_wrong_case": [
        (9, "fields.custom.planSTR: custom.planSTR is not the name of a custom attribute: letters and digits"),
        (10, "fields.custom.Plan Str: custom.Plan Str is not the name of a custom attribute: letters and digits"),
    ],
    "deep_but_readable": [(10, "description: has to be text")],
    "description_list": [(10, "description: has to be text")],
    "description_number": [(10, "description: has to be text; put it in quotes")],
    "description_with_a_colon": [
        (10, "is not YAML: a value that holds a colon has to be in quotes, or the indentation is wrong")
    ],
    "document_end_inside": [(7, "is not YAML: expected '<document start>', but found '<block mapping start>'")],
    "dollar_brace": [
        (3, "tag: '${TAG}' cannot be the name of a tag: 1 to 64 letters (À to ÿ too), digits, blanks (not")
    ],
    "empty": [(1, "is empty; write type: kustomer_pipeline.ObjectSync or kustomer_pipeline.AudienceSync, then")],
    "env_unset": [(4, "query: the template '{{ env.SCHEMA_THAT_IS_NOT_SET }}' gives nothing; is the variable set?")],
    "env_unset_alone": [
        (4, "query: the template '{{ env.QUERY_THAT_IS_NOT_SET }}' gives nothing; is the variable set?")
    ],
    "env_without_quotes": [(4, 'query: a value that begins with {{ has to be in quotes: "{{ env.QUERY }}"')],
    "equals_signs": [(4, "is not YAML: a value that holds a colon has to be in quotes, or the indentation is wrong")],
    "field_boolean": [(9, "fields.yes: a key has to be text; put it in quotes")],
    "field_in_another_case": [
        (7, "fields.ExternalID: customers have no field 'ExternalID'; did you mean externalId or externalIds")
    ],
    "field_in_cyrillic_letters": [
        (8, "fields.еmail: customers have no field 'еmail'; did you mean email or emails? for a custom")
    ],
    "field_in_snake_case": [
        (7, "fields.external_id: customers have no field 'external_id'; did you mean externalId or")
    ],
    "field_misspelt": [
        (9, "fields.adress: customers have no field 'adress'"),
        (10, "fields.locatons: customers have no field 'locatons'; did you mean locations? for a custom"),
        (11, "fields.birthday: customers have no field 'birthday'; did you mean birthdayAt? for a custom"),
    ],
    "field_number": [(9, "fields.7: a key has to be text; put it in quotes")],
    "field_of_the_other_object": [(9, "fields.birthdayAt: companies have no field 'birthdayAt'")],
    "field_rev": [
        (9, "fields.rev: rev cannot be mapped: the engine reads and sends it itself"),
        (10, "fields.deleted: deleted cannot be mapped: a mapping never deletes records"),
    ],
    "field_turned_round": [
        (7, "fields.customer_id: customers have no field 'customer_id'"),
        (8, "fields.email_address: customers have no field 'email_address'"),
        (9, "fields.full_name: customers have no field 'full_name'"),
    ],
    "field_twice": [(9, "email is written twice (first in line 8); keep one")],
    "field_twice_in_a_flow": [(7, "email is written twice (first in line 7); keep one")],
    "field_unknown": [(9, "fields.full_name: customers have no field 'full_name'")],
    "field_with_a_zero_width_space": [(8, "did you mean email or emails?")],
    "fields_list": [(7, "fields: has to be keys and values: {key: value}")],
    "fields_missing": [(2, "fields: is missing.")],
    "fields_null": [(6, "fields: has to be keys and values: {key: value}")],
    "fields_text": [(7, "fields: has to be keys and values: {key: value}")],
    "half_a_tab": [(8, "is not YAML: there is a tab; indent with blanks")],
    "indented_too_far": [
        (4, "is not YAML: a value that holds a colon has to be in quotes, or the indentation is wrong")
    ],
    "indented_too_little": [(9, "is not YAML: expected <block end>, but found '<block mapping start>'")],
    "json_file_with_a_mistake": [(6, "match_on: has to be a list: [first, second]")],
    "keys_that_are_no_text": [
        (10, "1: a key has to be text; put it in quotes"),
        (11, "a key has to be text, not a list or keys and values"),
    ],
    "latin_1": [(1, "is not UTF-8 text; save the file as UTF-8")],
    "log_to_bad_schema": [
        (10, "log_to.schema: 'crm; drop table customers' cannot be the name of a schema here: letters, digits")
    ],
    "log_to_number": [(10, "log_to.schema: has to be text; put it in quotes")],
    "log_to_text": [(10, "log_to: has to be keys and values: {key: value}")],
    "log_to_unknown_key": [
        (10, "log_to.schema: is missing."),
        (10, 'log_to.shema: is not a known key. Did you mean "schema"?'),
    ],
    "match_on_a_custom_field": [
        (5, "match_on[0]: match_on 'custom.planStr' cannot identify customers; use externalId, email, phone")
    ],
    "match_on_empty_text": [(5, "match_on[0]: match_on '' cannot identify customers; use externalId, email, phone")],
    "match_on_in_another_case": [(5, 'use externalId, email, phone. Did you mean "externalId"?')],
    "match_on_mapping": [(5, "match_on: has to be a list: [first, second]")],
    "match_on_nested": [(5, "match_on[0]: has to be text")],
    "match_on_null": [(5, "match_on[1]: has to be text; nothing is written here")],
    "match_on_numbers": [
        (5, "match_on[0]: has to be text; put it in quotes"),
        (5, "match_on[1]: has to be text; put it in quotes"),
    ],
    "match_on_text": [(5, "match_on: has to be a list: [first, second]")],
    "match_on_the_wrong_field": [(9, "fields.name: name: match belongs to company only")],
    "match_on_twice": [(5, "match_on: match_on names a field twice (email, email)")],
    "max_removals_number": [(8, "max_removals: has to be keys and values: {key: value}")],
    "merge_conflict": [(10, "is not YAML: could not find expected ':'")],
    "mode_boolean": [(10, "use upsert, insert or update")],
    "mode_of_the_other_kind": [(10, "mode: 'mirror' is not allowed; use upsert, insert or update.")],
    "name_in_the_file": [(10, "name: remove it: the folder's name is the sync's")],
    "no_blank_after_the_colon": [
        (4, "is not YAML: a value that holds a colon has to be in quotes, or the indentation is wrong")
    ],
    "no_break_space": [(6, "is not YAML: expected <block end>, but found '<block mapping start>'")],
    "not_indented": [
        (3, "object: is not a known key."),
        (4, "query: is not a known key."),
        (5, "match_on: is not a known key."),
        (6, "fields: is not a known key."),
    ],
    "nul_bytes": [(9, "holds a character that YAML cannot hold (#x0000); remove it")],
    "object_capital": [
        (3, "object: 'Customers' is not allowed; use customers or companies. Did you mean \"customers\"?")
    ],
    "object_list": [(3, "object: ")],
    "object_null": [(3, "object: nothing is written here; use customers or companies")],
    "object_of_another_kind": [(3, "object: 'conversations' is not allowed; use customers or companies.")],
    "object_singular": [
        (3, "object: 'customer' is not allowed; use customers or companies. Did you mean \"customers\"?")
    ],
    "only_comments": [
        (1, "is empty; write type: kustomer_pipeline.ObjectSync or kustomer_pipeline.AudienceSync, then")
    ],
    "only_dashes": [(1, "is empty; write type: kustomer_pipeline.ObjectSync or kustomer_pipeline.AudienceSync, then")],
    "only_text": [(1, "holds a value, not keys and values; write type: kustomer_pipeline.ObjectSync or")],
    "owners_at": [(10, "owners[0]: '@jane' is not an owner: an e-mail address, or team:<name>")],
    "owners_text": [(10, "owners: has to be a list: [first, second]")],
    "owners_without_quotes": [(10, "is not YAML: found character '@' that cannot start any token")],
    "python_dict": [(1, "is not YAML: the { that begins here does not end")],
    "query_and_file": [(4, "query_file: query is written too; keep one of both")],
    "query_blank": [(4, "query: the query is empty")],
    "query_file_empty_name": [(4, "query_file: there is no file")],
    "query_file_folder": [(4, "query_file: there is no file")],
    "query_file_list": [(4, "query_file: has to be the name of a file")],
    "query_file_missing": [(4, "query_file: there is no file")],
    "query_file_outside": [(4, "query_file: there is no file")],
    "query_in_lines_not_indented": [(6, "is not YAML: could not find expected ':'")],
    "query_list": [(4, "query: has to be text")],
    "query_missing": [(2, _NO_QUERY)],
    "query_null": [(2, _NO_QUERY)],
    "query_number": [(4, "query: has to be text; put it in quotes")],
    "query_with_a_colon": [
        (4, "is not YAML: a value that holds a colon has to be in quotes, or the indentation is wrong")
    ],
    "read_back_all": [(10, "read_back: has to be a whole number")],
    "read_back_below_zero": [(10, "read_back: -5 is out of range: greater than or equal to 0")],
    "region_calling_code": [(10, "default_region: 44 is not a region: two capital letters such as US, GB or DE")],
    "region_country": [(10, "default_region: 'Germany' is not a region: two capital letters such as US, GB or DE")],
    "region_list": [(10, "default_region: has to be text: two capital letters such as US, GB or DE")],
    "region_norway": [(10, 'default_region: without quotes YAML reads NO as "false"; write "NO"')],
    "region_small": [(10, "default_region: 'gb' is not a region: two capital letters such as US, GB or DE")],
    "share_below_zero": [(10, "max_failure_share: -0.1 is out of range: greater than or equal to 0")],
    "share_boolean": [(10, "max_failure_share: has to be a number")],
    "share_infinite": [(10, "max_failure_share: inf is out of range: less than or equal to 1")],
    "share_of_twenty": [(8, "max_removals.share: 20 is out of range: less than or equal to 1")],
    "share_per_cent": [(8, "max_removals.share: has to be a number")],
    "sql_file": [(3, "is not YAML: a value that holds a colon has to be in quotes, or the indentation is wrong")],
    "sql_in_capitals": [(4, "sql: is not a known key.")],
    "tabs": [(8, "is not YAML: there is a tab; indent with blanks")],
    "tag_boolean": [(3, "tag: has to be text; put it in quotes")],
    "tag_in_cyrillic_letters": [
        (3, "tag: 'viр' cannot be the name of a tag: 1 to 64 letters (À to ÿ too), digits, blanks (not")
    ],
    "tag_list": [(3, "tag: has to be text")],
    "tag_missing": [(2, "tag: is missing. The name of the tag that the members get.")],
    "tag_null": [(3, "tag: has to be text; nothing is written here")],
    "tag_number": [(3, "tag: has to be text; put it in quotes")],
    "tag_that_is_a_comment": [(3, "tag: has to be text; nothing is written here")],
    "tag_with_a_hash": [
        (3, "tag: '#vip' cannot be the name of a tag: 1 to 64 letters (À to ÿ too), digits, blanks (not")
    ],
    "tags_plural": [
        (2, "tag: is missing. The name of the tag that the members get."),
        (3, "tags: these are Dagster's, keys and values: {team: crm}. The tag that an audience gives is written tag"),
    ],
    "template_division": [(4, "query: the template 'select {{ 1 / 0 }}' failed: ZeroDivisionError: division by zero")],
    "template_in_a_key": [(9, "fields.{{ env.FIELD }}: customers have no field '{{ env.FIELD }}'")],
    "template_in_a_list": [
        (5, "match_on[1]: the template '{{ nothing.at_all }}' failed: UndefinedError: 'nothing' not found")
    ],
    "template_of_a_dict": [(4, "query: has to be text")],
    "template_syntax": [
        (4, "query: the template 'select {{ 1 + }} from crm' failed: jinja2.exceptions.TemplateSyntaxError:")
    ],
    "template_that_does_not_end": [
        (4, "query: the template 'select {{ env.X from crm' failed: jinja2.exceptions.TemplateSyntaxError:")
    ],
    "template_unknown": [
        (4, "query: the template \"{{ var('schema') }}.customers\" failed: UndefinedError: 'var' not found")
    ],
    "timezone_abbreviated": [
        (10, "schedule.timezone: 'CET/CEST' is not a time zone; use a name such as UTC, Europe/Berlin or")
    ],
    "timezone_empty": [(10, "schedule.timezone: '' is not a time zone; use a name such as UTC,")],
    "timezone_offset": [
        (10, "schedule.timezone: '+02:00' is not a time zone; use a name such as UTC, Europe/Berlin or")
    ],
    "timezone_path": [
        (10, "schedule.timezone: '../../etc/passwd' is not a time zone; use a name such as UTC, Europe/Berlin")
    ],
    "two_documents": [(1, "holds 2 syncs; give each a folder of its own, it names the sync")],
    "type_from_the_name_of_the_audience": [(1, "type: there is no component kustomer_pipeline.Audience. Did you mean")],
    "type_in_small_letters": [(1, "type: there is no component kustomer_pipeline.objectsync. Did you mean")],
    "type_is_a_list": [(1, "type: has to be text: kustomer_pipeline.ObjectSync or kustomer_pipeline.AudienceSync")],
    "type_is_a_number": [(1, "type: there is no component 7.")],
    "type_missing": [
        (1, "type is missing; write type: kustomer_pipeline.ObjectSync or kustomer_pipeline.AudienceSync")
    ],
    "type_of_a_class_that_is_not_there": [
        (1, "type: there is no component kustomer_pipeline.CustomerSync. Did you mean")
    ],
    "type_of_a_module": [(1, "type: there is no component os.path.")],
    "type_of_another_project": [(1, "type: there is no component dagster_airbyte.AirbyteWorkspace.")],
    "type_twice": [(2, "type is written twice (first in line 1); keep one")],
    "type_with_a_dash": [(1, "type: there is no component kustomer-pipeline.ObjectSync. Did you mean")],
    "unclosed_brace": [(7, "is not YAML: the { that begins here does not end")],
    "unclosed_bracket": [(5, "is not YAML: the [ that begins here does not end, or a comma is missing in line 6")],
    "unclosed_quote": [(4, "is not YAML: the quote that begins here does not end")],
    "utf_16": [(1, "is not UTF-8 text; save the file as UTF-8")],
    "very_deep": [(10, "is nested too deep: more than 50 levels")],
    "watch_below_zero": [(10, "watch.every: -60 is out of range: greater than or equal to 5")],
    "watch_every_minute": [(10, "watch.every: has to be a whole number")],
    "watch_list": [(10, "watch: has to be keys and values: {key: value}")],
    "watch_text": [(10, "watch: has to be keys and values: {key: value}")],
    "watch_without_table": [(10, "watch.table: is missing. The table to watch, e.g. crm.customers.")],
    "write_boolean": [(9, "fields.name.write: False is not allowed; use overwrite or if_empty.")],
    "write_misspelt": [(9, "fields.name.write: 'if-empty' is not allowed; use overwrite or if_empty. Did you mean")],
}
