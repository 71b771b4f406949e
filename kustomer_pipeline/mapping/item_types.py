"""The objects inside list fields, key by key (docs/kustomer.md sections 4.2 and 5). Data of the catalogue."""

from __future__ import annotations

from .kinds import SubField

EMAIL_MAX_LENGTH = 254  # RFC 5321's limit of an address in an SMTP path


def _text(max_length: int | None = None, *, required: bool = False, min_length: int | None = None) -> SubField:
    return SubField(value="text", max_length=max_length, required=required, min_length=min_length)


def _choice(*choices: str, required: bool = False) -> SubField:
    return SubField(value="text", choices=choices, required=required)


VERIFIED = SubField(value="boolean")
EXTERNAL_ID = {
    "externalId": SubField(value="externalId", min_length=1, max_length=255, required=True),
    "verified": VERIFIED,
}
EMAIL = {
    "email": SubField(value="email", max_length=EMAIL_MAX_LENGTH, required=True),
    "type": _choice("home", "work", "other"),
    "verified": VERIFIED,
}
PHONE = {
    "phone": SubField(value="phone", required=True),
    "type": _choice("mobile", "home", "work", "fax", "other"),
    "verified": VERIFIED,
}
WHATSAPP = {
    "phone": SubField(value="phone", required=True),
    "type": _choice("mobile"),
    "verified": VERIFIED,
}
FACEBOOK = {"pageId": _text(255, required=True), "userId": _text(255, required=True), "name": _text(255)}
INSTAGRAM = {
    "pageId": _text(255, required=True),
    "threadId": _text(255, required=True),
    "username": _text(255, required=True),
    "instagramId": _text(255),
}
SOCIAL = {
    "type": _choice("twitter", "facebook", "instagram", "linkedin", "pinterest", required=True),
    "username": _text(256, required=True, min_length=1),
    "userid": _text(256),
    "url": SubField(value="url"),
    "verified": VERIFIED,
}
URL = {"url": SubField(value="url", required=True), "type": _choice("website", "blog", "other")}
LOCATION = {
    "type": _choice("home", "work", "other"),
    "name": _text(),
    "address": _text(256),
    "address2": _text(256),
    "address3": _text(256),
    "latitude": SubField(value="number", minimum=-90, maximum=90),
    "longitude": SubField(value="number", minimum=-180, maximum=180),
    "countryCode": _text(2, min_length=2),
    "countryName": _text(64),
    "regionCode": _text(2),
    "regionName": _text(128),
    "cityName": _text(128),
    "zipCode": _text(30),
    "areaCode": _text(30),
}
DOMAIN = {"domain": SubField(value="domain", required=True, max_length=253)}
SENTIMENT = {
    "polarity": SubField(value="integer", minimum=-1, maximum=1, required=True),
    "confidence": SubField(value="number", minimum=-1, maximum=1, required=True),
}
