package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multihash"
)

const library = "go-libp2p-kad-dht v0.42.1"

// k is how many peers a record is for.
const k = 20

// named is the SHA-256 multihash of some text: ids and keys have no other
// meaning, and whoever replays a run makes them anew from their numbers.
func named(text string) string {
	hash := sha256.Sum256([]byte(text))
	mh, _ := multihash.Encode(hash[:], multihash.SHA2_256) // A known code and length.
	return string(mh)
}

func peerID(n int) peer.ID { return peer.ID(named(fmt.Sprintf("peer %d", n))) }

func key(n int) multihash.Multihash { return multihash.Multihash(named(fmt.Sprintf("key %d", n))) }

// place is where bytes lie in the key space.
func place(of string) [32]byte { return sha256.Sum256([]byte(of)) }

// network is the scripted peers, by their numbers.
type network struct {
	numbers map[peer.ID]int
	places  [][32]byte
}

func newNetwork(size int) *network {
	n := &network{numbers: make(map[peer.ID]int, size)}
	for i := range size {
		id := peerID(i)
		n.numbers[id] = i
		n.places = append(n.places, place(string(id)))
	}
	return n
}

// closest is the k peers closest to a place, the closest first.
func (n *network) closest(to [32]byte) []int {
	all := make([]int, len(n.places))
	distances := make([][32]byte, len(n.places))
	for i, p := range n.places {
		all[i] = i
		for j := range p {
			distances[i][j] = p[j] ^ to[j]
		}
	}
	slices.SortFunc(all, func(a, b int) int { return bytes.Compare(distances[a][:], distances[b][:]) })
	return all[:min(k, len(all))]
}

func newDraws(seed uint64) *rand.Rand {
	var bytes [32]byte
	binary.BigEndian.PutUint64(bytes[:], seed)
	return rand.New(rand.NewChaCha8(bytes))
}

func sorted[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
