package main

import (
	"context"

	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"kadscope-peers/go/internal/loopback"
)

// node is a host with a DHT.
type node struct {
	host host.Host
	dht  *dht.IpfsDHT
}

// join makes a node: a server that listens on loopback, or a client that does not listen.
func join(cfg config, serves bool) (*node, error) {
	var listen []string
	mode := dht.ModeClient
	if serves {
		listen = []string{loopback.TCP, loopback.QUIC}
		mode = dht.ModeServer
	}
	h, err := loopback.Host(cfg.agent, listen...)
	if err != nil {
		return nil, err
	}
	// No address, query or routing table filter is set: loopback addresses are kept and answered.
	d, err := dht.New(h, dht.Mode(mode), dht.ProtocolPrefix(protocol.ID(cfg.prefix)), dht.DisableAutoRefresh())
	if err != nil {
		h.Close()
		return nil, err
	}
	return &node{h, d}, nil
}

func (n *node) close() {
	n.dht.Close()
	n.host.Close()
}

// enter connects to peers of the network and fills the routing table.
func (n *node) enter(ctx context.Context, bootstrap []peer.AddrInfo) error {
	if err := loopback.Enter(ctx, n.host, n.dht, bootstrap); err != nil {
		return err
	}
	select {
	case err := <-n.dht.ForceRefresh():
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
