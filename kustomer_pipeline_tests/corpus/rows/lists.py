"""Tags, and cells that hold JSON: addresses, social accounts, sentiment."""

from __future__ import annotations

from ..case import Case, created, invalid, rejected

NO_TAG = "tags holds a name with characters that tags cannot have"
UNKNOWN_KEY = "has a key that Kustomer does not know"

TAGS: list[Case] = [
    created("a tag", {"tags": "vip"}, tags=["vip"]),
    created("a tag in another case", {"tags": "VIP"}, tags=["vip"]),
    created("several tags, untidy", {"tags": " gold ,, vip,gold, "}, tags=["gold", "vip"]),
    created("the same tag in two cases", {"tags": "vip,Vip"}, tags=["vip"]),
    created("a JSON list of tags", {"tags": '["gold", "big spender"]'}, tags=["gold", "big spender"]),
    created("a list of tags", {"tags": ["gold"]}, tags=["gold"]),
    created("signs that tags may have", {"tags": "Àé_/<>-."}, tags=["Àé_/<>-."]),
    created("no tags", {"tags": " , ,"}),
    created("an empty list of tags", {"tags": "[]"}),
    created("twenty tags", {"tags": ",".join(f"t{n}" for n in range(20))}, tags=[f"t{n}" for n in range(20)]),
    invalid("twenty-one tags", {"tags": ",".join(f"t{n}" for n in range(21))}, "tags has 21 names, at most 20"),
    invalid("a tag of 65 characters", {"tags": "x" * 65}, "tags holds a name of 65 characters, at most 64"),
    *[
        invalid(f"no tag: {text!r}", {"tags": text}, NO_TAG)
        for text in (
            "a&b",
            "#vip",
            "vip;gold",
            "vip|gold",
            "it's",
            "(vip)",
            "vip!",
            "tag\ntag",
            "тег",
            "👑",
            "a\u200bb",
            "=1+1",
        )
    ],
    invalid("no tag: a comma within a name", {"tags": '["a,b"]'}, NO_TAG),
    invalid("no tag: JSON of numbers", {"tags": "[1, 2]"}, "tags is not a list of names"),
    invalid("no tag: JSON that does not end", {"tags": '["vip"'}, "tags is not valid JSON"),
    invalid("no tag: an object", {"tags": {"name": "vip"}}, "tags"),
    rejected("a tag that nobody has made", {"tags": "vip, Wolfgang Amadeus"}, "Kustomer has no tag named"),
    rejected("a tag that was deleted", {"tags": "retired"}, "Kustomer has no tag named"),
    rejected("the id of no tag", {"tags": "507f1f77bcf86cd799439011"}, "Kustomer has no tag named"),
]

_HOME = {"type": "home", "address": "Main St 1", "zipCode": "02134", "countryCode": "US", "latitude": 42.5}

LOCATIONS: list[Case] = [
    created("an address", {"locations": _HOME}, locations=[_HOME]),
    created(
        "numbers as text, and the other way round",
        {"locations": '{"zipCode": 2134, "latitude": "-90"}'},
        locations=[{"zipCode": "2134", "latitude": -90}],
    ),
    created(
        "nulls within", {"locations": '[{"cityName": "Bern", "address2": null}, {}]'}, locations=[{"cityName": "Bern"}]
    ),
    created(
        "a key twice: the last one counts, as in jsonb",
        {"locations": '{"cityName": "Bern", "cityName": "Basel"}'},
        locations=[{"cityName": "Basel"}],
    ),
    created("the same address twice", {"locations": [_HOME, dict(_HOME)]}, locations=[_HOME]),
    *[
        invalid(f"no address: {about}", {"locations": cell}, f"locations {reason}")
        for about, cell, reason in (
            ("plain text", "Main St 1, Boston", "is not JSON (an object or a list of objects is needed)"),
            ("JSON that does not end", '{"cityName": "Bern"', "is not valid JSON"),
            ("single quotes", "{'cityName': 'Bern'}", "is not valid JSON"),
            ("other keys", '{"city": "Bern"}', f"item 1 {UNKNOWN_KEY}"),
            ("numbers", "[1, 2]", "item 1 is not an object"),
            ("lists within", '[["Bern"]]', "item 1 is not an object"),
            ("an object within", '{"address": {"street": "Main St"}}', "item 1 address is a list or an object"),
            ("a country by three letters", '{"countryCode": "USA"}', "item 1 countryCode is 3 characters, at most 2"),
            ("a country by one letter", '{"countryCode": "U"}', "item 1 countryCode is 1 character, at least 2"),
            ("a region in full", '{"regionCode": "Ohio"}', "item 1 regionCode is 4 characters, at most 2"),
            ("beyond the pole", '{"latitude": 90.01}', "item 1 latitude is above 90"),
            ("beyond the date line", '{"longitude": -181}', "item 1 longitude is below -180"),
            ("a latitude in words", '{"latitude": "42.5 N"}', "item 1 latitude is not a number"),
            ("a latitude that is no number", '{"latitude": NaN}', "is not valid JSON"),
            ("a postcode of 31 characters", {"zipCode": "0" * 31}, "item 1 zipCode is 31 characters, at most 30"),
            ("a line of 257 characters", {"address": "x" * 257}, "item 1 address is 257 characters, at most 256"),
            ("a type that is none", '{"type": "summer house"}', "item 1 type is not one of home, work, other"),
            ("eleven", [{"name": f"Branch {n}"} for n in range(11)], "has 11 items, at most 10"),
            (
                "two homes",
                '[{"type": "home", "cityName": "Bern"}, {"type": "home", "cityName": "Basel"}]',
                "has two items of the same type and name that differ otherwise",
            ),
            ("a null for an address", '[{"cityName": "Bern"}, null]', "item 2 is not an object"),
        )
    ],
]

SOCIALS: list[Case] = [
    created(
        "an account",
        {"socials": '{"type": "twitter", "username": "jane"}'},
        socials=[{"type": "twitter", "username": "jane", "verified": False}],
    ),
    invalid("no account: plain text", {"socials": "@jane"}, "socials is not JSON"),
    invalid("no account: no user name", {"socials": '{"type": "twitter"}'}, "socials item 1 has no username"),
    invalid("no account: no network", {"socials": '{"username": "jane"}'}, "socials item 1 has no type"),
    invalid("no account: another network", {"socials": '{"type": "myspace", "username": "j"}'}, "type is not one of"),
    invalid("no account: 257 characters", {"socials": {"type": "twitter", "username": "j" * 257}}, "at most 256"),
    invalid("an account, first time", {"socials": '{"type": "facebook", "username": "both"}'}, "socials is also on"),
    invalid(
        "the same account on another row",
        {"socials": '[{"username": "both", "type": "facebook"}]'},
        "socials is also on",
    ),
]

SENTIMENTS: list[Case] = [
    created(
        "a sentiment",
        {"sentiment": '{"polarity": -1, "confidence": "0.5"}'},
        sentiment={"polarity": -1, "confidence": 0.5},
    ),
    created("no sentiment", {"sentiment": ""}),
    *[
        invalid(f"no sentiment: {about}", {"sentiment": cell}, f"sentiment {reason}")
        for about, cell, reason in (
            ("a word", "happy", "is not valid JSON"),
            ("a number", 1, "is not a JSON object"),
            ("a list", '[{"polarity": 1}]', "is not a JSON object"),
            ("only half of it", '{"polarity": 1}', "has no confidence"),
            ("too positive", '{"polarity": 2, "confidence": 0}', "polarity is above 1"),
            ("in between", '{"polarity": 0.5, "confidence": 0}', "polarity is not a whole number"),
            ("too sure", '{"polarity": 0, "confidence": 1.5}', "confidence is above 1"),
            ("other keys", '{"mood": "happy"}', UNKNOWN_KEY),
            ("null", "null", "is not a JSON object"),
        )
    ],
]
