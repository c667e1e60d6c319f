package main

import (
	"errors"
	"io"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// oneRequestHost hands each stream of the DHT to its handler in a wrapper that
// ends after one request: the handler answers it and closes the stream, as
// some implementations do. It does so once the servers' own network stands:
// over QUIC the library's client takes such a close for a failed request and
// drops the peer from its table.
type oneRequestHost struct {
	host.Host
	limits *limits
}

// SetStreamHandler is how the DHT says what it serves.
func (h oneRequestHost) SetStreamHandler(p protocol.ID, handle network.StreamHandler) {
	h.Host.SetStreamHandler(p, func(s network.Stream) {
		if h.limits.armed.Load() {
			s = &oneRequest{Stream: s}
		}
		handle(s)
	})
}

var errLongPrefix = errors.New("length prefix of more than 4 bytes")

// oneRequest reads one frame (a varint and as many bytes) and then says EOF.
type oneRequest struct {
	network.Stream
	prefix int    // bytes of the length prefix read so far
	left   uint64 // bytes of the body still to come, once inBody
	inBody bool
}

// Read never takes a byte that is not of the first frame.
func (s *oneRequest) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if s.inBody {
		if s.left == 0 {
			return 0, io.EOF
		}
		n, err := s.Stream.Read(p[:min(uint64(len(p)), s.left)])
		s.left -= uint64(n)
		return n, err
	}
	n, err := s.Stream.Read(p[:1])
	if n == 1 {
		if s.prefix == 4 {
			return 0, errLongPrefix
		}
		s.left |= uint64(p[0]&0x7f) << (7 * s.prefix)
		s.prefix++
		s.inBody = p[0]&0x80 == 0
	}
	return n, err
}
