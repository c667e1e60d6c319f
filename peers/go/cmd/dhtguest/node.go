package main

import (
	"context"
	"fmt"

	"github.com/libp2p/go-libp2p"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"kadscope-peers/go/internal/gate"
)

// node is a host with a DHT.
type node struct {
	host host.Host
	dht  *dht.IpfsDHT
}

// join makes a node: a server that listens on loopback, or a client that does not listen.
func join(cfg config, serves bool) (*node, error) {
	listen := libp2p.NoListenAddrs
	mode := dht.ModeClient
	if serves {
		listen = libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1")
		mode = dht.ModeServer
	}
	h, err := libp2p.New(listen,
		libp2p.UserAgent(cfg.agent),
		libp2p.ResourceManager(&network.NullResourceManager{}),
		libp2p.ConnectionGater(gate.Gate{}),
		libp2p.DisableRelay(),
		libp2p.DisableMetrics(),
	)
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
	for _, ai := range bootstrap {
		if err := n.host.Connect(ctx, ai); err != nil {
			return fmt.Errorf("connecting to %s: %w", ai, err)
		}
	}
	select {
	case err := <-n.dht.ForceRefresh():
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
