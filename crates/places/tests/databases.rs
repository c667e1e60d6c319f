//! Databases in every layout: what they say of addresses is what their makers wrote into them, and what is none is refused by name.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test ends at the first error")]

use std::{collections::HashSet, fs, net::IpAddr, path::Path};

use kadscope_places::{CloudFile, Clouds, DatabaseFact, Place, PlaceDatabase, PlaceSources, SourceError};
use maxminddb::{Reader, path};
use schema::CloudEvidence;

/// `sha256sum GeoLite2-City-Test.mmdb`, and the build epoch that the Python package `maxminddb` reads in it.
const SHA256: &str = "f936702b51dcb6c94b286d77a6f182c31a1601baf4b27e8e896934deb41f49f2";
const BUILT_AT_S: u64 = 1_770_245_369;

fn read(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/mmdb").join(name))
        .expect("a database")
}

fn open(name: &str, fact: DatabaseFact) -> Result<PlaceDatabase, SourceError> {
    PlaceDatabase::open(name, read(name), fact)
}

/// These databases and no clouds.
fn sources(databases: &[(&str, DatabaseFact)]) -> PlaceSources {
    let databases = databases.iter().map(|(name, fact)| open(name, *fact).unwrap()).collect();
    PlaceSources::new(databases, Clouds::default(), Vec::new())
}

fn place(sources: &PlaceSources, ip: &str) -> Place {
    sources.place_of(ip.parse().unwrap()).unwrap()
}

fn texts(place: &Place) -> [Option<&str>; 4] {
    [&place.continent, &place.country, &place.city, &place.organisation].map(Option::as_deref)
}

#[test]
fn what_maxminds_databases_say_is_what_their_sources_say() {
    // Of `GeoLite2-City-Test.json` and `GeoLite2-ASN-Test.json`, from which the databases were made.
    let both = sources(&[
        ("GeoLite2-City-Test.mmdb", DatabaseFact::City),
        ("GeoLite2-ASN-Test.mmdb", DatabaseFact::Asn),
    ]);
    for (ip, said, asn) in [
        ("2.125.160.216", [Some("EU"), Some("GB"), Some("Boxford"), None], None),
        ("89.160.20.129", [Some("EU"), Some("SE"), Some("Linköping"), Some("Bredband2 AB")], Some(29518)),
        ("2001:218::1", [Some("AS"), Some("JP"), None, None], None),
        ("1.0.0.1", [None, None, None, Some("Google Inc.")], Some(15169)),
        ("::ffff:1.0.0.1", [None, None, None, Some("Google Inc.")], Some(15169)),
        ("203.0.113.1", [None; 4], None),
    ] {
        let place = place(&both, ip);
        assert_eq!((texts(&place), place.asn), (said, asn), "{ip}");
        assert_eq!(place.is_found(), said != [None; 4] || asn.is_some(), "{ip}");
    }
    let countries = sources(&[("GeoLite2-Country-Test.mmdb", DatabaseFact::Country)]);
    assert_eq!(texts(&place(&countries, "2.125.160.216")), [Some("EU"), Some("GB"), None, None]);
}

#[test]
fn every_record_of_a_database_is_read_as_its_own_fields_say() {
    // Beside a reading of single fields by their paths, of every network that there is.
    let bytes = read("GeoLite2-City-Test.mmdb");
    let reader = Reader::from_source(bytes).unwrap();
    let cities = sources(&[("GeoLite2-City-Test.mmdb", DatabaseFact::City)]);
    let mut countries = HashSet::new();
    for found in reader.networks(maxminddb::WithinOptions::default()).unwrap() {
        let found = found.unwrap();
        let place = cities.place_of(found.network().unwrap().ip()).unwrap();
        let country: Option<String> = found.decode_path(&path!["country", "iso_code"]).unwrap();
        let city: Option<String> = found.decode_path(&path!["city", "names", "en"]).unwrap();
        let continent: Option<String> = found.decode_path(&path!["continent", "code"]).unwrap();
        assert_eq!((&place.country, &place.city, &place.continent), (&country, &city, &continent));
        countries.extend(country);
    }
    assert!(countries.len() > 20, "{countries:?}");
}

#[test]
fn layouts_of_others_are_read() {
    const NL: [Option<&str>; 2] = [Some("EU"), Some("NL")];
    for (name, fact, said, asn) in [
        ("dbip-city-lite", DatabaseFact::City, [NL[0], NL[1], Some("Amsterdam"), None], None),
        ("dbip-city-lite", DatabaseFact::Country, [NL[0], NL[1], None, None], None),
        ("dbip-country-lite", DatabaseFact::Country, [NL[0], NL[1], None, None], None),
        ("dbip-asn-lite", DatabaseFact::Asn, [None, None, None, Some("Liteserver")], Some(60404)),
        ("dbip-location-isp", DatabaseFact::City, [NL[0], NL[1], Some("Amsterdam"), None], None),
        ("dbip-location-isp", DatabaseFact::Asn, [None, None, None, Some("Liteserver")], Some(60404)),
        ("geoip2-isp", DatabaseFact::Asn, [None, None, None, Some("Liteserver")], Some(60404)),
        ("geolite2-asn-ipv4", DatabaseFact::Asn, [None; 4], Some(60404)),
    ] {
        let sources = sources(&[(&format!("layouts/{name}.mmdb"), fact)]);
        let inside = place(&sources, "5.2.79.255");
        assert_eq!((texts(&inside), inside.asn), (said, asn), "{name} as {fact}");
        assert!(!place(&sources, "5.2.80.0").is_found(), "{name} as {fact}");
    }
    let japan = place(&sources(&[("layouts/dbip-city-lite.mmdb", DatabaseFact::City)]), "2001:200::1");
    assert_eq!(texts(&japan), [Some("AS"), Some("JP"), Some("Tokyo"), None]);
    let ipv4 = sources(&[("layouts/geolite2-asn-ipv4.mmdb", DatabaseFact::Asn)]);
    assert!(!place(&ipv4, "2001:200::1").is_found(), "it knows nothing of IPv6");
}

#[test]
fn the_country_is_that_of_the_database_of_countries_where_there_is_one() {
    // One knows the first address, the other one the second.
    let both = sources(&[
        ("GeoLite2-City-Test.mmdb", DatabaseFact::City),
        ("layouts/dbip-country-lite.mmdb", DatabaseFact::Country),
    ]);
    assert_eq!(texts(&place(&both, "5.2.65.1")), [Some("EU"), Some("NL"), None, None]);
    assert_eq!(texts(&place(&both, "2.125.160.216")), [Some("EU"), Some("GB"), Some("Boxford"), None]);
}

#[test]
fn a_network_says_whose_cloud_it_is_and_a_range_says_it_first() {
    let asn = open("GeoLite2-ASN-Test.mmdb", DatabaseFact::Asn).unwrap();
    let clouds = Clouds::shipped().unwrap().with_list("list", Some("made up"), b"1.0.0.128/25\n").unwrap();
    let sources = PlaceSources::new(vec![asn], clouds, Vec::new());
    let cloud = |ip| {
        let place = place(&sources, ip);
        place.cloud.zip(place.cloud_by)
    };
    assert_eq!(cloud("1.0.0.1"), Some(("google".to_owned(), CloudEvidence::Asn)));
    assert_eq!(cloud("1.0.0.129"), Some(("made up".to_owned(), CloudEvidence::Range)));
    assert_eq!(cloud("89.160.20.129"), None);
}

#[test]
fn a_broken_or_foreign_file_is_refused_by_name() {
    let refused = |name: &str, bytes: Vec<u8>, fact| PlaceDatabase::open(name, bytes, fact).unwrap_err();
    let city = read("GeoLite2-City-Test.mmdb");
    assert_eq!(refused("a", Vec::new(), DatabaseFact::City), SourceError::Empty { file: "a".into() });
    for (bytes, error) in [
        (b"<html>not found</html>".to_vec(), SourceError::NotADatabase { file: "a".into() }),
        (city[..city.len() / 2].to_vec(), SourceError::NotADatabase { file: "a".into() }),
        (b"\x1f\x8b\x08\0\0\0\0\0".to_vec(), SourceError::Compressed { file: "a".into() }),
        (b"PK\x03\x04 and so on".to_vec(), SourceError::Compressed { file: "a".into() }),
    ] {
        assert_eq!(refused("a", bytes, DatabaseFact::City), error);
    }
    for (name, fact) in [
        ("GeoIP2-City-Test-Broken-Double-Format.mmdb", DatabaseFact::City),
        ("MaxMind-DB-test-broken-pointers-24.mmdb", DatabaseFact::City),
        ("layouts/connection-type.mmdb", DatabaseFact::Country),
        ("GeoLite2-ASN-Test.mmdb", DatabaseFact::City),
        ("GeoLite2-Country-Test.mmdb", DatabaseFact::City),
        ("GeoLite2-City-Test.mmdb", DatabaseFact::Asn),
    ] {
        let error = open(name, fact).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{name}: ")), "{error}");
    }
    // The end is there, and the middle is not.
    let hole = [&city[..8000], &city[12000..]].concat();
    let error = refused("a", hole, DatabaseFact::City);
    assert!(matches!(error, SourceError::Damaged { .. }), "{error}");
}

#[test]
fn a_database_that_is_not_what_its_type_says_names_itself_when_it_is_asked() {
    let other = sources(&[("layouts/other-records.mmdb", DatabaseFact::Country)]);
    let error = other.place_of("5.2.65.1".parse().unwrap()).unwrap_err().to_string();
    assert!(error.starts_with("layouts/other-records.mmdb: ") && error.contains("5.2.65.1"), "{error}");
}

#[test]
fn a_database_with_any_byte_changed_is_refused_or_answers() {
    // Whatever is broken in it, nobody panics: each byte of a database, turned over in three ways.
    let bytes = read("layouts/dbip-city-lite.mmdb");
    let ips: Vec<IpAddr> = ["5.2.65.1", "2001:200::1", "9.9.9.9"].map(|ip| ip.parse().unwrap()).to_vec();
    let mut refused = 0;
    for position in 0..bytes.len() {
        for flip in [0xff, 0x01, 0x80] {
            let mut changed = bytes.clone();
            changed[position] ^= flip;
            match PlaceDatabase::open("a", changed, DatabaseFact::City) {
                Err(_) => refused += 1,
                Ok(database) => {
                    let sources = PlaceSources::new(vec![database], Clouds::default(), Vec::new());
                    for &ip in &ips {
                        drop(sources.place_of(ip));
                    }
                }
            }
        }
    }
    assert!(refused > 100, "{refused}");
}

#[test]
fn a_version_is_that_of_the_files_whatever_they_are_called() {
    let of = |city: &str, clouds: &[CloudFile]| {
        let city = PlaceDatabase::open(city, read("GeoLite2-City-Test.mmdb"), DatabaseFact::City).unwrap();
        PlaceSources::new(vec![city], Clouds::default(), clouds.to_vec()).version()
    };
    let shipped = CloudFile::of(None, Clouds::shipped_bytes());
    let bare = of("a", &[]);
    assert_eq!(bare, of("b", &[]));
    assert_eq!((bare.len(), bare.bytes().all(|byte| byte.is_ascii_hexdigit())), (64, true));
    assert_ne!(bare, of("a", &[shipped]));
    let info = open("GeoLite2-City-Test.mmdb", DatabaseFact::City).unwrap().info().clone();
    assert_eq!(info.database_type, "GeoLite2-City");
    assert_eq!(info.built_at_s, BUILT_AT_S);
    assert_eq!(info.sha256, SHA256);
}
