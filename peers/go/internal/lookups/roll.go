package lookups

import (
	"encoding/hex"

	"github.com/libp2p/go-libp2p/core/peer"
)

// Roll numbers peers in the order in which they are called first, so that their
// ids stand once in what is written. Whoever shares it guards it.
type Roll struct {
	numbers map[peer.ID]int
	// IDs are those of the peers by their numbers, in hexadecimal.
	IDs []string
}

// Number gives the number of a peer.
func (r *Roll) Number(id peer.ID) int {
	number, ok := r.numbers[id]
	if !ok {
		if r.numbers == nil {
			r.numbers = map[peer.ID]int{}
		}
		number = len(r.IDs)
		r.numbers[id] = number
		r.IDs = append(r.IDs, hex.EncodeToString([]byte(id)))
	}
	return number
}

// Numbers gives those of some peers.
func (r *Roll) Numbers(ids []peer.ID) []int {
	numbers := make([]int, len(ids))
	for i, id := range ids {
		numbers[i] = r.Number(id)
	}
	return numbers
}

// Peers gives all peers so far, in no order.
func (r *Roll) Peers() []peer.ID {
	peers := make([]peer.ID, 0, len(r.numbers))
	for id := range r.numbers {
		peers = append(peers, id)
	}
	return peers
}
