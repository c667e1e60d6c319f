//! How many connections the heads of a hydra may have, on this machine.

use net::{Bounds, FabricConfig};

use crate::{
    args::{HydraArgs, Policy},
    exit::Failed,
    network::Network,
    output, resources,
};

/// Descriptors of each head: a socket for each transport at two addresses.
const FILES_OF_A_HEAD: u64 = 4;

/// Descriptors that are kept free for the belly, the API and the runtime.
const RESERVED_FILES: u64 = 128;

/// How the heads dial and are dialled. What the machine has no descriptors for is lowered, which is said.
pub(super) fn fabric(args: &HydraArgs, network: &Network, heads: usize) -> Result<FabricConfig, Failed> {
    let mut config = FabricConfig::from(args.reach.dials(network)?);
    let limit = resources::raise_open_files();
    let of_heads = (heads as u64).saturating_mul(FILES_OF_A_HEAD);
    let taken = of_heads.saturating_add(RESERVED_FILES).saturating_add(resources::open_files());
    let room = usize::try_from(limit.saturating_sub(taken)).unwrap_or(usize::MAX);
    if room == 0 {
        return Err(Failed::usage(format!(
            "only {limit} files may be open at once, too few for {heads} heads; raise the limit (`ulimit -n`), or ask for fewer"
        )));
    }
    let wanted = heads.saturating_mul(args.heads.connections_per_head as usize);
    let high_water = wanted.min(room / 4 * 3).max(1);
    if high_water < wanted {
        output::note(&format!(
            "only {limit} files may be open at once: {high_water} connections for {heads} heads, of {wanted} (raise it with `ulimit -n`)"
        ));
    }
    let connections = high_water.saturating_add(high_water / 3).saturating_add(1);
    let usual = Bounds::default();
    // On a machine of one's own everybody is one source.
    let is_own = matches!(network.addresses, Policy::Loopback | Policy::Private);
    let per_source = if is_own { connections } else { usual.per_source };
    config.bounds = Bounds { connections, high_water, low_water: high_water / 3 * 2, per_source, ..usual };
    Ok(config)
}
