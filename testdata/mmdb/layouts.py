#!/usr/bin/env python3
"""Makes the databases in `layouts/`: small files in layouts of which no test file is published, by a writer of others.

    python3 -m venv target/mmdb && target/mmdb/bin/pip install mmdb_writer==0.2.7
    target/mmdb/bin/python testdata/mmdb/layouts.py

The same bytes come out each time. Records are as DB-IP and MaxMind document them, cut to a few fields; addresses and
names are made up.
"""

import pathlib
import time

from mmdb_writer import MMDBWriter
from netaddr import IPSet

# 2026-11-01, so that files do not change with the day on which they are made.
time.time = lambda: 1793491200

HERE = pathlib.Path(__file__).parent / "layouts"


def country(code, english):
    return {"geoname_id": 1, "is_in_european_union": code != "JP", "iso_code": code, "names": {"en": english}}


def city(continent, code, english, name):
    return {
        "city": {"names": {"en": name, "de": name + " (de)"}},
        "continent": {"code": continent, "geoname_id": 2, "names": {"en": continent}},
        "country": country(code, english),
        "location": {"latitude": 52.5, "longitude": 13.25},
        "subdivisions": [{"names": {"en": "Somewhere"}}],
    }


def network(number, organisation):
    return {"autonomous_system_number": number, "autonomous_system_organization": organisation}


NETHERLANDS = city("EU", "NL", "Netherlands", "Amsterdam")
JAPAN = city("AS", "JP", "Japan", "Tokyo")

DATABASES = {
    "dbip-city-lite": ("DBIP-City-Lite", 6, [("5.2.64.0/20", NETHERLANDS), ("2001:200::/32", JAPAN)]),
    "dbip-country-lite": (
        "DBIP-Country-Lite",
        6,
        [
            (range_, {"continent": record["continent"], "country": record["country"]})
            for range_, record in [("5.2.64.0/20", NETHERLANDS), ("2001:200::/32", JAPAN)]
        ],
    ),
    "dbip-asn-lite": (
        "DBIP-ASN-Lite (compat=GeoLite2-ASN)",
        6,
        [("5.2.64.0/20", network(60404, "Liteserver")), ("2001:200::/32", network(2500, "WIDE Project"))],
    ),
    "dbip-location-isp": (
        "DBIP-Location-ISP (compat=Enterprise)",
        6,
        [("5.2.64.0/20", NETHERLANDS | {"traits": network(60404, "Liteserver") | {"isp": "Lite", "organization": "L"}})],
    ),
    "geoip2-isp": (
        "GeoIP2-ISP",
        6,
        [("5.2.64.0/20", network(60404, "Liteserver") | {"isp": "Lite", "organization": "L"})],
    ),
    # Of IPv4 alone, and of an organisation that nobody wrote down.
    "geolite2-asn-ipv4": ("GeoLite2-ASN", 4, [("5.2.64.0/20", {"autonomous_system_number": 60404})]),
    # The type of one layout and the records of another: what a file says of itself is not believed.
    "other-records": ("GeoLite2-Country", 6, [("5.2.64.0/20", {"country": "NL", "continent": "EU"})]),
    # A sound database that says nothing of places.
    "connection-type": ("GeoIP2-Connection-Type", 6, [("5.2.64.0/20", {"connection_type": "Cable/DSL"})]),
}

HERE.mkdir(exist_ok=True)
for name, (database_type, ip_version, records) in DATABASES.items():
    writer = MMDBWriter(
        ip_version=ip_version,
        ipv4_compatible=ip_version == 6,
        database_type=database_type,
        languages=["en"],
        description=f"A test database in the layout of {database_type}",
        int_type="u32",
    )
    for range_, record in records:
        writer.insert_network(IPSet([range_]), record)
    writer.to_db_file(str(HERE / f"{name}.mmdb"))
