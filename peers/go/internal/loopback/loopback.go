// Package loopback makes the hosts of test peers that join a network on this
// machine, and lets them into it.
package loopback

import (
	"context"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"kadscope-peers/go/internal/gate"
)

// Addresses to listen on, with any free port.
const (
	TCP  = "/ip4/127.0.0.1/tcp/0"
	QUIC = "/ip4/127.0.0.1/udp/0/quic-v1"
)

// Host makes a host with that agent version that dials this machine alone. It
// listens on these addresses; on none, if there are none.
func Host(agent string, listen ...string) (host.Host, error) {
	listens := libp2p.NoListenAddrs
	if len(listen) > 0 {
		listens = libp2p.ListenAddrStrings(listen...)
	}
	return libp2p.New(listens,
		libp2p.UserAgent(agent),
		libp2p.ResourceManager(&network.NullResourceManager{}),
		libp2p.ConnectionGater(gate.Gate{}),
		libp2p.DisableRelay(),
		libp2p.DisableMetrics(),
	)
}

// Enter connects to peers of a network, of which some may be dead, and waits
// until the routing table has one.
func Enter(ctx context.Context, h host.Host, d *dht.IpfsDHT, bootstrap []peer.AddrInfo) error {
	if err := connect(ctx, h, bootstrap); err != nil {
		return err
	}
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for d.RoutingTable().Size() == 0 {
		select {
		case <-look.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// connect connects to one of them at least.
func connect(ctx context.Context, h host.Host, bootstrap []peer.AddrInfo) error {
	failures := make(chan error, len(bootstrap))
	for _, ai := range bootstrap {
		go func() { failures <- h.Connect(ctx, ai) }()
	}
	var failed error
	connected := 0
	for range bootstrap {
		if err := <-failures; err != nil {
			failed = err
		} else {
			connected++
		}
	}
	if connected == 0 {
		return fmt.Errorf("connecting to the network: %w", failed)
	}
	return nil
}
