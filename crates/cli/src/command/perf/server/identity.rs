//! The key of a server's peer: a new one, or one that is kept in a file.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use kad::Keypair;

use crate::exit::Failed;

/// The longest file that is read, in bytes: an RSA key of 8,192 bits is shorter.
const MAX_BYTES: u64 = 16 << 10;

/// The key in a file, as libp2p encodes private keys; a new one that is kept there if there is none.
pub(super) fn of(file: Option<&Path>) -> Result<Keypair, Failed> {
    let Some(file) = file else { return Ok(Keypair::generate_ed25519()) };
    let failed = |what: &str| Failed::usage(format!("--identity {}: {what}", file.display()));
    match fs::metadata(file) {
        Ok(found) if found.len() > MAX_BYTES => Err(failed("it is too long for a key")),
        Ok(_) => {
            let bytes = fs::read(file).map_err(|error| failed(&error.to_string()))?;
            Keypair::from_protobuf_encoding(&bytes)
                .map_err(|_| failed("there is no private key of libp2p in it"))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let keypair = Keypair::generate_ed25519();
            let bytes = keypair.to_protobuf_encoding().map_err(|error| failed(&error.to_string()))?;
            keep(file, &bytes).map_err(|error| failed(&error.to_string()))?;
            Ok(keypair)
        }
        Err(error) => Err(failed(&error.to_string())),
    }
}

/// Writes a key where there is none, for nobody else to read.
fn keep(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(file)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_read_again_by_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("key");
        let first = of(Some(&file)).unwrap().public();
        assert_eq!(of(Some(&file)).unwrap().public(), first);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_ne!(of(None).unwrap().public(), first);
        fs::write(&file, "no key").unwrap();
        assert!(of(Some(&file)).unwrap_err().to_string().contains("no private key"));
        assert!(of(Some(&directory.path().join("no/where"))).is_err());
    }
}
