// Package lookups is what the recorders of lookups and of provides have in common.
package lookups

import (
	"bytes"
	"crypto/sha256"

	"github.com/libp2p/go-libp2p/core/peer"
)

// Distances orders peers by their XOR distance to a key.
type Distances struct {
	key [32]byte
}

// NewDistances makes the order of distances to the key of a target.
func NewDistances(target string) Distances {
	return Distances{sha256.Sum256([]byte(target))}
}

// Compare is of the kind that sorts peers, the closest first.
func (d Distances) Compare(a, b peer.ID) int {
	x, y := d.of(a), d.of(b)
	return bytes.Compare(x[:], y[:])
}

func (d Distances) of(id peer.ID) [32]byte {
	distance := sha256.Sum256([]byte(id))
	for i := range distance {
		distance[i] ^= d.key[i]
	}
	return distance
}
