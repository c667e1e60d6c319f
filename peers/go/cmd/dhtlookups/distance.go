package main

import (
	"bytes"
	"crypto/sha256"

	"github.com/libp2p/go-libp2p/core/peer"
)

// distances orders peers by their XOR distance to a key.
type distances struct {
	key [32]byte
}

func newDistances(target string) distances {
	return distances{sha256.Sum256([]byte(target))}
}

func (d distances) compare(a, b peer.ID) int {
	x, y := d.of(a), d.of(b)
	return bytes.Compare(x[:], y[:])
}

func (d distances) of(id peer.ID) [32]byte {
	distance := sha256.Sum256([]byte(id))
	for i := range distance {
		distance[i] ^= d.key[i]
	}
	return distance
}
