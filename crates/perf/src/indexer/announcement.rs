//! Announcements: a publisher tells an indexer that there is a new advertisement, and where.
//!
//! Source: go-libipni 0.7.8, `announce/message`. In CBOR, whose little that is needed is written here; in JSON it is read alone.

use kad::Multiaddr;
use multibase::Base;
use serde_json::Value;

use super::block::{BadBlock, BlockCid};

/// The longest announcement that is read, in bytes. Source: IPNI, `PUT /announce`.
pub const MAX_ANNOUNCEMENT_BYTES: usize = 1 << 20;

/// Addresses that are read of one.
const MAX_ADDRS: usize = 64;

/// Kinds of CBOR. Source: RFC 8949, 3.1.
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const LIST: u8 = 4;
const TAG: u8 = 6;

/// A CID in CBOR: this tag, a zero, and its bytes. Source: <https://github.com/ipld/cid-cbor>.
const CID_TAG: u64 = 42;

/// One announcement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// The newest advertisement.
    pub cid: BlockCid,
    /// Where it is fetched: `/ip4/.../tcp/.../http/p2p/ID`. Of a protocol that is not known here, left out.
    pub addrs: Vec<Multiaddr>,
    /// For whom it may concern.
    pub extra: Vec<u8>,
    /// Who said so first, where an indexer says it again.
    pub first_said_by: Option<String>,
}

impl Announcement {
    /// In CBOR.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        write_head(&mut out, LIST, if self.first_said_by.is_some() { 4 } else { 3 });
        write_head(&mut out, TAG, CID_TAG);
        write_head(&mut out, BYTES, self.cid.as_bytes().len() as u64 + 1);
        out.push(0);
        out.extend_from_slice(self.cid.as_bytes());
        write_head(&mut out, LIST, self.addrs.len() as u64);
        for addr in &self.addrs {
            write_string(&mut out, BYTES, addr.as_ref());
        }
        write_string(&mut out, BYTES, &self.extra);
        if let Some(peer) = &self.first_said_by {
            write_string(&mut out, TEXT, peer.as_bytes());
        }
        out
    }

    /// From CBOR.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadBlock> {
        if bytes.len() > MAX_ANNOUNCEMENT_BYTES {
            return Err(BadBlock::TooLong);
        }
        let mut rest = bytes;
        let fields @ 3..=4 = read_head(&mut rest, LIST)? else { return Err(BadBlock::Malformed) };
        if read_head(&mut rest, TAG)? != CID_TAG {
            return Err(BadBlock::Field("Cid"));
        }
        let cid = read_string(&mut rest, BYTES)?.strip_prefix(&[0]).and_then(BlockCid::from_bytes);
        let cid = cid.ok_or(BadBlock::Field("Cid"))?;
        let count = read_head(&mut rest, LIST)?;
        if count > MAX_ADDRS as u64 {
            return Err(BadBlock::Limit("Addrs"));
        }
        let mut addrs = Vec::new();
        for _ in 0..count {
            addrs.extend(Multiaddr::try_from(read_string(&mut rest, BYTES)?.to_vec()).ok());
        }
        let extra = read_string(&mut rest, BYTES)?.to_vec();
        let first_said_by = (fields == 4).then(|| read_string(&mut rest, TEXT).and_then(text)).transpose()?;
        if rest.is_empty() { Ok(Self { cid, addrs, extra, first_said_by }) } else { Err(BadBlock::Malformed) }
    }

    /// From JSON, as Go writes it: bytes in padded base 64.
    pub fn decode_json(bytes: &[u8]) -> Result<Self, BadBlock> {
        if bytes.len() > MAX_ANNOUNCEMENT_BYTES {
            return Err(BadBlock::TooLong);
        }
        let read: Value = serde_json::from_slice(bytes).map_err(|_| BadBlock::Malformed)?;
        let cid = read["Cid"]["/"].as_str().and_then(|text| text.parse().ok());
        let of_text = |value: &Value| Base::Base64Pad.decode(value.as_str()?).ok();
        let mut addrs = Vec::new();
        for addr in read["Addrs"].as_array().into_iter().flatten().take(MAX_ADDRS) {
            addrs.extend(Multiaddr::try_from(of_text(addr).ok_or(BadBlock::Field("Addrs"))?).ok());
        }
        let extra = match &read["ExtraData"] {
            Value::Null => Vec::new(),
            said => of_text(said).ok_or(BadBlock::Field("ExtraData"))?,
        };
        let first_said_by = read["OrigPeer"].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        Ok(Self { cid: cid.ok_or(BadBlock::Field("Cid"))?, addrs, extra, first_said_by })
    }
}

fn text(bytes: &[u8]) -> Result<String, BadBlock> {
    String::from_utf8(bytes.to_vec()).map_err(|_| BadBlock::Malformed)
}

/// The head of an item: its kind, and its number or length in as few bytes as it takes.
fn write_head(out: &mut Vec<u8>, kind: u8, number: u64) {
    let kind = kind << 5;
    let bytes = number.to_be_bytes();
    match number {
        0..24 => out.push(kind | bytes[7]),
        24..0x100 => out.extend([kind | 0x18, bytes[7]]),
        0x100..0x1_0000 => out.extend([kind | 0x19, bytes[6], bytes[7]]),
        0x1_0000..0x1_0000_0000 => {
            out.push(kind | 0x1a);
            out.extend_from_slice(&bytes[4..]);
        }
        _ => {
            out.push(kind | 0x1b);
            out.extend_from_slice(&bytes);
        }
    }
}

fn write_string(out: &mut Vec<u8>, kind: u8, bytes: &[u8]) {
    write_head(out, kind, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn read_head(rest: &mut &[u8], kind: u8) -> Result<u64, BadBlock> {
    let [first, ..] = *take(rest, 1)? else { return Err(BadBlock::Malformed) };
    let length = match first & 0x1f {
        _ if first >> 5 != kind => return Err(BadBlock::Malformed),
        number @ 0..24 => return Ok(u64::from(number)),
        size @ 24..28 => 1 << (size - 24),
        _ => return Err(BadBlock::Malformed),
    };
    Ok(take(rest, length)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn read_string<'a>(rest: &mut &'a [u8], kind: u8) -> Result<&'a [u8], BadBlock> {
    let length = read_head(rest, kind)?;
    take(rest, usize::try_from(length).map_err(|_| BadBlock::TooLong)?)
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], BadBlock> {
    let (head, tail) = rest.split_at_checked(length).ok_or(BadBlock::Malformed)?;
    *rest = tail;
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Go announced. Source: `testdata/parsec/ipni/1-put-announce.txt` of the recordings of Parsec 0.4.0.
    const OF_GO: &str = "83d82a58260001a90212206c80b3658aa60ad121f98a73270aa48e3ad30502fb4098dd56b247da7b51ce8d8158\
        33047f0000010607e4e003a5032600240801122015aae8605a39a12efdec19e7fb79f14ee01883bbd63457bdc6cc77b169b56a1640";

    fn of_go() -> Vec<u8> {
        Base::Base16Lower.decode(OF_GO).unwrap()
    }

    #[test]
    fn what_go_announced_is_read_and_written_the_same() {
        let read = Announcement::decode(&of_go()).unwrap();
        assert_eq!(
            read.cid.to_string(),
            "baguqeeransalgzmkuyfncipzrjzsocvery5ngbic7najrxkwwjd5u62rz2gq",
            "the head that was answered at that time"
        );
        let addr = read.addrs[0].to_string();
        assert!(addr.starts_with("/ip4/127.0.0.1/tcp/2020/http/p2p/12D3KooW"), "{addr}");
        assert_eq!((read.addrs.len(), read.extra.len(), &read.first_said_by), (1, 0, &None));
        assert_eq!(read.encode(), of_go());
    }

    #[test]
    fn who_said_it_first_is_kept() {
        let read = Announcement::decode(&of_go()).unwrap();
        let again = Announcement { first_said_by: Some("x".repeat(30)), extra: vec![7; 300], ..read };
        assert_eq!(Announcement::decode(&again.encode()), Ok(again));
    }

    #[test]
    fn json_says_the_same() {
        let read = Announcement::decode(&of_go()).unwrap();
        let addr = Base::Base64Pad.encode(&read.addrs[0]);
        let text =
            format!(r#"{{"Cid":{{"/":"{}"}},"Addrs":["{addr}"],"ExtraData":null,"OrigPeer":""}}"#, read.cid);
        assert_eq!(Announcement::decode_json(text.as_bytes()), Ok(read));
        for wrong in ["", "{}", r#"{"Cid":{"/":"x"}}"#] {
            Announcement::decode_json(wrong.as_bytes()).unwrap_err();
        }
    }

    #[test]
    fn no_bytes_are_more_than_an_error() {
        let whole = of_go();
        for end in 0..whole.len() {
            Announcement::decode(&whole[..end]).unwrap_err();
        }
        Announcement::decode(&[whole.as_slice(), &[0]].concat()).unwrap_err();
        Announcement::decode(&[0x83, 0xd8, 42, 0x5b, 255, 255, 255, 255, 255, 255, 255, 255]).unwrap_err();
    }
}
