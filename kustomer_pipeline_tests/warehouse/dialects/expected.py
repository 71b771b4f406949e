# ruff: noqa: E501 (a table: a type, a line)
"""What becomes of the types of each database: one table, which the tests run and the pages of docs/warehouses/ show.

column type, a value of it → in the frame: dtype and value → a field of Kustomer's → what is sent, or why it is refused
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Refused:
    """The reason, or a part of it."""

    reason: str


BYTES: Final = Refused("holds bytes")  # by the read itself: the whole query fails, and says which column
TOO_LARGE: Final = Refused("is a number too large to be exact")
NOT_FINITE: Final = Refused("is not a finite number")
NO_DATE: Final = Refused("is not an ISO-8601 date")

UTC: Final = "datetime64[us, UTC]"
NAIVE: Final = "datetime64[us]"


@dataclass(frozen=True)
class TypeCase:
    """`sql`: an expression of that type. `read`: the value in the frame, as text (None: null). `field`: where it goes, "": nowhere.

    `sent`: what the mapped frame holds, as text; None where nothing is sent; Refused with the reason of the row.
    """

    type: str
    sql: str
    dtype: str
    read: str | Refused | None
    field: str = ""
    sent: str | Refused | None = None


def _refused(name: str, sql: str) -> TypeCase:
    return TypeCase(name, sql, "", BYTES)


UUID: Final = "6f1e8f0a-1c1b-4d5e-9e0b-1a2b3c4d5e6f"
LONG: Final = "12345678901234567890.12"
MICRO: Final = "2024-05-01 12:30:00.123456"
JSON: Final = '{"label": "home", "url": "https://a.example"}'
JSONB: Final = '{"url": "https://a.example", "label": "home"}'  # PostgreSQL's order: shorter keys first
COMPACT: Final = '{"label":"home","url":"https://a.example"}'
URLS: Final = '["https://a.example/1", "https://a.example/2"]'
SENT_URLS: Final = '[{"url":"https://a.example/1"},{"url":"https://a.example/2"}]'

SQLITE: Final = (
    TypeCase("integer", "9007199254740993", "Int64", "9007199254740993", "custom.nNum", TOO_LARGE),
    TypeCase("real", "7.0", "Float64", "7.0", "custom.nStr", "7"),
    TypeCase("real, infinite", "9e999", "Float64", "inf", "custom.nNum", NOT_FINITE),
    TypeCase("numeric, as text", f"'{LONG}'", "string", LONG, "custom.nStr", LONG),
    TypeCase("boolean (0, 1)", "1 = 1", "Int64", "1", "custom.isBool", "True"),
    TypeCase("timestamp, as text", f"'{MICRO}'", "string", MICRO, "custom.sinceAt", "2024-05-01T12:30:00.123Z"),
    TypeCase("JSON, as text", f"'{URLS}'", "string", URLS, "urls", SENT_URLS),
    _refused("blob", "x'6162'"),
)
POSTGRESQL: Final = (
    TypeCase("numeric", "12345678901.25::numeric", "Float64", "12345678901.25", "custom.nNum", "12345678901.25"),
    TypeCase("numeric, long", f"{LONG}::numeric", "string", LONG, "custom.nStr", LONG),
    TypeCase("numeric, whole", "7.00::numeric", "Int64", "7", "custom.nStr", "7"),
    TypeCase("bigint", "9223372036854775807", "Int64", "9223372036854775807", "custom.nNum", TOO_LARGE),
    TypeCase("bigint, to text", "9223372036854775807", "Int64", "9223372036854775807", "custom.nStr", "9223372036854775807"),
    TypeCase("double precision, infinite", "'Infinity'::float8", "Float64", "inf", "custom.nNum", NOT_FINITE),
    TypeCase("double precision, NaN", "'NaN'::float8", "Float64", None),
    TypeCase("timestamp", f"timestamp '{MICRO}'", NAIVE, MICRO, "custom.sinceAt", "2024-05-01T12:30:00.123Z"),
    TypeCase("timestamptz", "timestamptz '2024-05-01 12:30+02'", UTC, "2024-05-01 10:30:00+00:00", "custom.sinceAt", "2024-05-01T10:30:00.000Z"),
    TypeCase("timestamptz, infinity", "timestamptz 'infinity'", NAIVE, "10000-01-01 00:00:00", "custom.sinceAt", NO_DATE),
    TypeCase("date", "date '2024-05-01'", NAIVE, "2024-05-01 00:00:00", "custom.sinceAt", "2024-05-01T00:00:00.000Z"),
    TypeCase("boolean", "true", "boolean", "True", "custom.isBool", "True"),
    TypeCase("text[]", "array['https://a.example/1', 'https://a.example/2']", "string", URLS, "urls", SENT_URLS),
    TypeCase("jsonb", f"'{JSON}'::jsonb", "string", JSONB, "custom.docTree", JSONB),
    TypeCase("uuid", f"'{UUID}'::uuid", "string", UUID, "custom.keyStr", UUID),
    TypeCase("interval", "interval '1 day 2 hours'", "string", "1 day, 2:00:00", "custom.waitStr", "1 day, 2:00:00"),
    _refused("bytea", "'ab'::bytea"),
)  # fmt: skip
DUCKDB: Final = (
    TypeCase("decimal", "12345678901.25::decimal(20, 2)", "Float64", "12345678901.25", "custom.nNum", "12345678901.25"),
    TypeCase("decimal, long", f"'{LONG}'::decimal(30, 2)", "string", LONG, "custom.nStr", LONG),
    TypeCase("decimal, whole", "7::decimal(10, 2)", "Int64", "7", "custom.nStr", "7"),
    TypeCase("bigint", "9223372036854775807", "Int64", "9223372036854775807", "custom.nNum", TOO_LARGE),
    TypeCase("hugeint, ubigint", "18446744073709551615::hugeint", "string", "18446744073709551615", "custom.nStr", "18446744073709551615"),
    TypeCase("float (4 bytes)", "0.1::float", "Float64", "0.10000000149011612", "custom.nNum", "0.10000000149011612"),
    TypeCase("double, infinite", "'infinity'::double", "Float64", "inf", "custom.nNum", NOT_FINITE),
    TypeCase("timestamp", f"timestamp '{MICRO}'", NAIVE, MICRO, "custom.sinceAt", "2024-05-01T12:30:00.123Z"),
    TypeCase("timestamptz", "timestamptz '2024-05-01 12:30:00+02'", UTC, "2024-05-01 10:30:00+00:00", "custom.sinceAt", "2024-05-01T10:30:00.000Z"),
    TypeCase("timestamp, infinity", "timestamp 'infinity'", NAIVE, "9999-12-31 23:59:59.999999", "custom.sinceAt", "9999-12-31T23:59:59.999Z"),
    TypeCase("date beyond 9999", "date '12000-01-01'", "string", "12000-01-01", "custom.sinceAt", NO_DATE),
    TypeCase("boolean", "true", "boolean", "True", "custom.isBool", "True"),
    TypeCase("varchar[]", "['https://a.example/1', 'https://a.example/2']", "string", URLS, "urls", SENT_URLS),
    TypeCase("struct, map", "{'label': 'home', 'url': 'https://a.example'}", "string", JSON, "custom.docTree", JSON),
    TypeCase("json", f"'{JSON}'::json", "string", JSON, "custom.docTree", JSON),
    TypeCase("uuid", f"uuid '{UUID}'", "string", UUID, "custom.keyStr", UUID),
    _refused("blob", "'ab'::blob"),
)  # fmt: skip
MARIADB: Final = (
    TypeCase("decimal", "cast(12345678901.25 as decimal(20, 2))", "Float64", "12345678901.25", "custom.nNum", "12345678901.25"),
    TypeCase("decimal, long", f"cast('{LONG}' as decimal(30, 2))", "string", LONG, "custom.nStr", LONG),
    TypeCase("decimal, whole", "cast(7 as decimal(10, 2))", "Int64", "7", "custom.nStr", "7"),
    TypeCase("bigint", "9223372036854775807", "Int64", "9223372036854775807", "custom.nNum", TOO_LARGE),
    TypeCase("bigint unsigned", "18446744073709551615", "string", "18446744073709551615", "custom.nStr", "18446744073709551615"),
    TypeCase("tinyint(1), boolean", "true", "Int64", "1", "custom.isBool", "True"),
    TypeCase("datetime", f"cast('{MICRO}' as datetime(6))", NAIVE, MICRO, "custom.sinceAt", "2024-05-01T12:30:00.123Z"),
    TypeCase("timestamp", "from_unixtime(1714559400)", NAIVE, "2024-05-01 10:30:00", "custom.sinceAt", "2024-05-01T10:30:00.000Z"),
    TypeCase("date", "date '2024-05-01'", NAIVE, "2024-05-01 00:00:00", "custom.sinceAt", "2024-05-01T00:00:00.000Z"),
    TypeCase("date of zeros", "cast('0000-00-00' as date)", "string", "0000-00-00", "custom.sinceAt", NO_DATE),
    TypeCase("time", "cast('838:59:59' as time)", "string", "34 days, 22:59:59", "custom.waitStr", "34 days, 22:59:59"),
    TypeCase("json", "json_array('https://a.example/1', 'https://a.example/2')", "string", URLS, "urls", SENT_URLS),
    TypeCase("json object", "json_object('label', 'home', 'url', 'https://a.example')", "string", JSON, "custom.docTree", JSON),
    TypeCase("uuid", f"cast('{UUID}' as uuid)", "string", UUID, "custom.keyStr", UUID),
    _refused("bit(1)", "b'1'"),
    _refused("blob, binary", "cast('ab' as binary)"),
)  # fmt: skip
CLICKHOUSE: Final = (
    TypeCase("Decimal", "toDecimal64('12345678901.25', 2)", "Float64", "12345678901.25", "custom.nNum", "12345678901.25"),
    TypeCase("Decimal, long", f"toDecimal128('{LONG}', 2)", "string", LONG, "custom.nStr", LONG),
    TypeCase("Int64", "toInt64(9223372036854775807)", "Int64", "9223372036854775807", "custom.nNum", TOO_LARGE),
    TypeCase("UInt64, Int256", "toUInt64(18446744073709551615)", "string", "18446744073709551615", "custom.nStr", "18446744073709551615"),
    TypeCase("Float32", "toFloat32(0.1)", "Float64", "0.10000000149011612", "custom.nNum", "0.10000000149011612"),
    TypeCase("Float64, infinite", "1 / 0", "Float64", "inf", "custom.nNum", NOT_FINITE),
    TypeCase("DateTime", "toDateTime('2024-05-01 12:30:00', 'UTC')", NAIVE, "2024-05-01 12:30:00", "custom.sinceAt", "2024-05-01T12:30:00.000Z"),
    TypeCase("DateTime('Europe/Berlin')", "toDateTime('2024-05-01 12:30:00', 'Europe/Berlin')", NAIVE, "2024-05-01 10:30:00", "custom.sinceAt", "2024-05-01T10:30:00.000Z"),
    TypeCase("DateTime64(6, 'Asia/Tokyo')", f"toDateTime64('{MICRO}', 6, 'Asia/Tokyo')", UTC, "2024-05-01 03:30:00.123456+00:00", "custom.sinceAt", "2024-05-01T03:30:00.123Z"),
    TypeCase("Date", "toDate('2024-05-01')", NAIVE, "2024-05-01 00:00:00", "custom.sinceAt", "2024-05-01T00:00:00.000Z"),
    TypeCase("Bool", "true", "boolean", "True", "custom.isBool", "True"),
    TypeCase("UInt8 (0, 1)", "1 = 1", "Int64", "1", "custom.isBool", "True"),
    TypeCase("Array(String)", "['https://a.example/1', 'https://a.example/2']", "string", URLS, "urls", SENT_URLS),
    TypeCase("JSON", f"'{JSON}'::JSON", "string", JSON, "custom.docTree", JSON),
    TypeCase("UUID", f"toUUID('{UUID}')", "string", UUID, "custom.keyStr", UUID),
    _refused("FixedString", "toFixedString('ab', 3)"),
)  # fmt: skip
SNOWFLAKE: Final = (
    TypeCase("number(20, 2)", "12345678901.25::number(20, 2)", "Float64", "12345678901.25", "custom.nNum", "12345678901.25"),
    TypeCase("number, long", f"'{LONG}'::number(30, 2)", "string", LONG, "custom.nStr", LONG),
    TypeCase("number(38, 0)", "9223372036854775807::number(38, 0)", "Int64", "9223372036854775807", "custom.nNum", TOO_LARGE),
    TypeCase("float, infinite", "'inf'::float", "Float64", "inf", "custom.nNum", NOT_FINITE),
    TypeCase("timestamp_ntz", f"'{MICRO}'::timestamp_ntz", NAIVE, MICRO, "custom.sinceAt", "2024-05-01T12:30:00.123Z"),
    TypeCase("timestamp_tz, timestamp_ltz", "'2024-05-01 12:30:00+02'::timestamp_tz", UTC, "2024-05-01 10:30:00+00:00", "custom.sinceAt", "2024-05-01T10:30:00.000Z"),
    TypeCase("date", "'2024-05-01'::date", NAIVE, "2024-05-01 00:00:00", "custom.sinceAt", "2024-05-01T00:00:00.000Z"),
    TypeCase("boolean", "true", "boolean", "True", "custom.isBool", "True"),
    TypeCase("variant", f"parse_json('{JSON}')", "string", COMPACT, "custom.docTree", COMPACT),
    _refused("binary", "to_binary('ab', 'utf-8')"),
)  # fmt: skip

TYPES: Final[Mapping[str, Sequence[TypeCase]]] = {
    "sqlite": SQLITE,
    "postgresql": POSTGRESQL,
    "duckdb": DUCKDB,
    "mariadb": MARIADB,
    "clickhouse": CLICKHOUSE,
    "snowflake": SNOWFLAKE,
}
