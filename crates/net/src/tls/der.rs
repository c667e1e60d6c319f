//! The little of DER that reading a certificate takes. What this does not understand goes to the general crate.

/// A SEQUENCE or SEQUENCE OF.
pub(crate) const SEQUENCE: u8 = 0x30;
/// A BOOLEAN.
pub(crate) const BOOLEAN: u8 = 0x01;
/// An INTEGER.
pub(crate) const INTEGER: u8 = 0x02;
/// A BIT STRING.
pub(crate) const BIT_STRING: u8 = 0x03;
/// An OCTET STRING.
pub(crate) const OCTET_STRING: u8 = 0x04;
/// An OBJECT IDENTIFIER.
pub(crate) const OBJECT_ID: u8 = 0x06;
/// A `UTCTime`: two digits of the year, as of 1950.
const UTC_TIME: u8 = 0x17;
/// A `GeneralizedTime`: four digits of the year.
const GENERALIZED_TIME: u8 = 0x18;

/// One element: its tag, its content and all of its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    pub(crate) whole: &'a [u8],
}

/// Takes one element off the front; `None` where there is none, or not one of DER.
pub(crate) fn take<'a>(rest: &mut &'a [u8]) -> Option<Element<'a>> {
    let all = *rest;
    let (&tag, after) = all.split_first()?;
    let (&first, mut after) = after.split_first()?;
    let len = match first {
        0..=0x7f => usize::from(first),
        0x81..=0x83 => {
            let (bytes, content) = after.split_at_checked(usize::from(first & 0x7f))?;
            after = content;
            let len = bytes.iter().fold(0, |len, &byte| len << 8 | usize::from(byte));
            // Only the shortest form is DER.
            let shortest = if bytes.len() == 1 { 0x80 } else { 1 << (8 * (bytes.len() - 1)) };
            (len >= shortest).then_some(len)?
        }
        _ => return None,
    };
    let (content, after) = after.split_at_checked(len)?;
    *rest = after;
    Some(Element { tag, content, whole: all.get(..all.len() - after.len())? })
}

/// Takes an element of that tag off the front: its content.
pub(crate) fn expect<'a>(rest: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    take(rest).filter(|element| element.tag == tag).map(|element| element.content)
}

/// The bytes of a BIT STRING of whole bytes.
pub(crate) fn bits<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    expect(rest, BIT_STRING)?.strip_prefix(&[0])
}

/// Takes a time in one of the two forms that certificates use: in seconds since 1970, negative before.
pub(crate) fn time(rest: &mut &[u8]) -> Option<i64> {
    let element = take(rest)?;
    let digits = element.content.strip_suffix(b"Z")?;
    let (year, digits) = match element.tag {
        UTC_TIME => {
            let (year, digits) = digits.split_at_checked(2)?;
            let year = number(year)?;
            (if year < 50 { 2000 + year } else { 1900 + year }, digits)
        }
        GENERALIZED_TIME => {
            let (year, digits) = digits.split_at_checked(4)?;
            (number(year)?, digits)
        }
        _ => return None,
    };
    let [month, day, hour, minute, second] = *digits
        .chunks(2)
        .map(|two| number(two).filter(|_| two.len() == 2))
        .collect::<Option<Vec<i64>>>()?
        .as_slice()
    else {
        return None;
    };
    let valid =
        (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 60;
    valid.then(|| days_before(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |value, &digit| match digit {
        b'0'..=b'9' => Some(value * 10 + i64::from(digit - b'0')),
        _ => None,
    })
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, counted in years that begin with March.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_one_form_only() {
        let long = [&[0x04, 0x81, 0x80][..], &[7; 128]].concat();
        let mut rest = &long[..];
        assert_eq!(expect(&mut rest, OCTET_STRING).map(<[u8]>::len), Some(128));
        for bad in [
            &[0x04][..],
            &[0x04, 0x02, 1],
            &[0x04, 0x81, 0x01, 1],
            &[0x04, 0x80],
            &[0x04, 0x84, 0, 0, 0, 1, 1],
        ] {
            assert_eq!(take(&mut &*bad), None, "{bad:?}");
        }
    }

    #[test]
    fn times_of_both_forms_are_seconds() {
        for (tag, text, seconds) in [
            (UTC_TIME, "700101000000Z", 0),
            (UTC_TIME, "491231235959Z", 2_524_607_999),
            (UTC_TIME, "500101000000Z", -631_152_000),
            (GENERALIZED_TIME, "20000229120000Z", 951_825_600),
            (GENERALIZED_TIME, "40960101000000Z", 67_090_118_400),
        ] {
            let element = [&[tag, u8::try_from(text.len()).unwrap()][..], text.as_bytes()].concat();
            assert_eq!(time(&mut &*element), Some(seconds), "{text}");
        }
        for text in ["20001301000000Z", "2000010100000Z", "20000101000000", "2000010100000xZ"] {
            let element =
                [&[GENERALIZED_TIME, u8::try_from(text.len()).unwrap()][..], text.as_bytes()].concat();
            assert_eq!(time(&mut &*element), None, "{text}");
        }
    }
}
