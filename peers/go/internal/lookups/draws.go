package lookups

import (
	"encoding/binary"
	"math/rand/v2"

	"github.com/multiformats/go-multihash"
)

// Draws are what is drawn from a seed.
type Draws struct {
	*rand.ChaCha8
}

// NewDraws begins to draw.
func NewDraws(seed uint64) *Draws {
	var bytes [32]byte
	binary.BigEndian.PutUint64(bytes[:], seed)
	return &Draws{rand.NewChaCha8(bytes)}
}

// Bytes draws 32 of them.
func (d *Draws) Bytes() []byte {
	bytes := make([]byte, 32)
	_, _ = d.Read(bytes) // It never fails.
	return bytes
}

// Multihash draws one of SHA-256.
func (d *Draws) Multihash() multihash.Multihash {
	hash, _ := multihash.Encode(d.Bytes(), multihash.SHA2_256) // A known code and length.
	return hash
}
