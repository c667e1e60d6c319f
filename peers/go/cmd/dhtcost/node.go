package main

import (
	"context"
	"sync/atomic"
	"syscall"

	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"kadscope-peers/go/internal/loopback"
)

// node is a host that listens, so that it has an address to announce, with a
// DHT in client mode at its defaults.
type node struct {
	host host.Host
	dht  *dht.IpfsDHT
	// How many connections were made so far.
	dials atomic.Int64
}

// join makes a node, and returns when its routing table has somebody.
func join(ctx context.Context, cfg config) (*node, error) {
	h, err := loopback.Host("kadscope-dhtcost/1", loopback.TCP)
	if err != nil {
		return nil, err
	}
	n := &node{host: h}
	h.Network().Notify(&network.NotifyBundle{
		ConnectedF: func(network.Network, network.Conn) { n.dials.Add(1) },
	})
	// A refresh in the background would be measured with the rest.
	n.dht, err = dht.New(h, dht.Mode(dht.ModeClient), dht.DisableAutoRefresh())
	if err == nil {
		err = n.enter(ctx, cfg.bootstrap)
	}
	if err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

func (n *node) enter(ctx context.Context, bootstrap []peer.AddrInfo) error {
	return loopback.Enter(ctx, n.host, n.dht, bootstrap)
}

func (n *node) close() {
	if n.dht != nil {
		n.dht.Close()
	}
	n.host.Close()
}

// perCall gives what one of so many calls took.
func (n *node) perCall(count int, call func(int) error) (cost, error) {
	before, err := n.spent()
	if err != nil {
		return cost{}, err
	}
	for i := range count {
		if err := call(i); err != nil {
			return cost{}, err
		}
	}
	after, err := n.spent()
	each := float64(count)
	return cost{
		UserUS:   (after.UserUS - before.UserUS) / each,
		SystemUS: (after.SystemUS - before.SystemUS) / each,
		Dials:    after.Dials - before.Dials,
	}, err
}

// spent gives what this process has taken so far.
func (n *node) spent() (cost, error) {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		return cost{}, err
	}
	return cost{
		UserUS:   float64(use.Utime.Nano()) / 1e3,
		SystemUS: float64(use.Stime.Nano()) / 1e3,
		Dials:    int(n.dials.Load()),
	}, nil
}
