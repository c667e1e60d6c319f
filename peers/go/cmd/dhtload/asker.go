package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	pb "github.com/libp2p/go-libp2p-kad-dht/pb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-msgio/pbio"
	ma "github.com/multiformats/go-multiaddr"

	"kadscope-peers/go/internal/loopback"
)

const (
	// hits is how many keys are provided, to be asked for.
	hits = 4096
	// unanswered is how many announcements, which have no answer, come before
	// a PING that has one.
	unanswered = 32
)

// asker is a host with one stream to the server.
type asker struct {
	host   host.Host
	stream network.Stream
	reader pbio.ReadCloser
	writer pbio.WriteCloser
	self   peer.AddrInfo
	number uint32
	asked  uint32
}

func newAsker(ctx context.Context, cfg config, number uint32) (*asker, error) {
	h, err := loopback.Host("kadscope-dhtload/1")
	if err != nil {
		return nil, err
	}
	a := &asker{host: h, number: number}
	a.self = peer.AddrInfo{ID: h.ID(), Addrs: []ma.Multiaddr{ma.StringCast("/ip4/127.0.0.1/tcp/4001")}}
	if err := h.Connect(ctx, cfg.server); err != nil {
		a.close()
		return nil, err
	}
	a.stream, err = h.NewStream(ctx, cfg.server.ID, protocol.ID(cfg.protocol))
	if err != nil {
		a.close()
		return nil, err
	}
	a.reader = pbio.NewDelimitedReader(a.stream, network.MessageSizeMax)
	a.writer = pbio.NewDelimitedWriter(a.stream)
	return a, nil
}

func (a *asker) close() {
	a.host.Close()
}

// kind sends what ends with one answer, and says how many requests that is.
type kind func(*asker) (int, error)

func kindNamed(name string) (kind, error) {
	one := func(t pb.Message_MessageType, what string, different uint32) kind {
		return func(a *asker) (int, error) {
			return 1, a.writer.WriteMsg(pb.NewMessage(t, key(what, (a.asked+a.number)%different), 0))
		}
	}
	switch name {
	case "ping":
		return func(a *asker) (int, error) { return 1, a.ping() }, nil
	case "find_node":
		return one(pb.Message_FIND_NODE, "node", 1<<31), nil
	case "get_providers-hit":
		return one(pb.Message_GET_PROVIDERS, "hit", hits), nil
	case "get_providers-miss":
		return one(pb.Message_GET_PROVIDERS, "miss", 1<<31), nil
	case "add_provider":
		return func(a *asker) (int, error) {
			for i := range uint32(unanswered) {
				if err := a.add("add", a.number<<24|(a.asked*unanswered+i)%(1<<24)); err != nil {
					return 0, err
				}
			}
			return unanswered, a.ping()
		}, nil
	}
	return nil, fmt.Errorf("nothing is asked by the name %q", name)
}

// key is a multihash of SHA-256 by its form.
func key(what string, number uint32) []byte {
	key := make([]byte, 34)
	copy(key, []byte{0x12, 32})
	copy(key[2:], what)
	binary.BigEndian.PutUint32(key[30:], number)
	return key
}

func (a *asker) ping() error {
	return a.writer.WriteMsg(pb.NewMessage(pb.Message_PING, nil, 0))
}

func (a *asker) add(what string, number uint32) error {
	m := pb.NewMessage(pb.Message_ADD_PROVIDER, key(what, number), 0)
	m.ProviderPeers = pb.RawPeerInfosToPBPeers([]peer.AddrInfo{a.self})
	return a.writer.WriteMsg(m)
}

// give provides so many keys that are to be found.
func (a *asker) give(keys uint32) error {
	for i := range keys {
		if err := a.add("hit", i); err != nil {
			return err
		}
	}
	if err := a.ping(); err != nil {
		return err
	}
	return a.reader.ReadMsg(&pb.Message{})
}

// askOn asks whenever there is an answer, until it cannot or need not any more.
func (a *asker) askOn(ctx context.Context, ask kind, m *meter) error {
	for ctx.Err() == nil {
		began := time.Now()
		requests, err := ask(a)
		if err == nil {
			err = a.reader.ReadMsg(&pb.Message{})
		}
		if err != nil {
			return err
		}
		a.asked++
		m.answered(requests, time.Since(began))
	}
	return nil
}
