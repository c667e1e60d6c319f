#!/usr/bin/env bash
# Prints, as one JSON line, what each Kubo daemon of run.sh knows of itself:
# {"protocol","peers":[{"id","addrs","agent","protocols","routing_table":["id",...]}]}
#
#   truth.sh DIR
set -euo pipefail

ipfs=$(cd "$(dirname "$0")" && pwd)/../bin/ipfs
dir=${1:?usage: truth.sh DIR}
read -r name protocol <"$dir/dht"

# Both answers of one daemon, one after the other; its table is read at that moment.
ask() { IPFS_PATH=$1 "$ipfs" id && IPFS_PATH=$1 "$ipfs" stats dht "$name" --enc=json; }

for repo in "$dir"/*/; do
    ask "$repo" | jq -s '.[0] as $id | {
        id: $id.ID,
        addrs: ($id.Addresses | map(sub("/p2p/[^/]*$"; "")) | sort),
        agent: $id.AgentVersion,
        protocols: ($id.Protocols | sort),
        routing_table: ([.[1].Buckets[]?.Peers[]?.ID] | sort)
    }'
done | jq -cs --arg protocol "$protocol" '{protocol: $protocol, peers: .}'
