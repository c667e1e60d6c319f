package main

import (
	"context"
	"syscall"
	"time"

	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"

	"kadscope-peers/go/internal/loopback"
)

// node is a host that listens, so that it has an address to announce, with a
// DHT in client mode at its defaults.
type node struct {
	host host.Host
	dht  *dht.IpfsDHT
}

// join makes a node, and returns when its routing table has somebody.
func join(ctx context.Context, cfg config) (*node, error) {
	h, err := loopback.Host("kadscope-dhtcost/1", loopback.TCP)
	if err != nil {
		return nil, err
	}
	n := &node{host: h}
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

// perCall gives the CPU time of this process for one of so many calls, in
// microseconds.
func perCall(count int, call func(int) error) (float64, error) {
	before, err := spent()
	if err != nil {
		return 0, err
	}
	for i := range count {
		if err := call(i); err != nil {
			return 0, err
		}
	}
	after, err := spent()
	return float64((after - before).Nanoseconds()) / 1e3 / float64(count), err
}

// spent gives user and system time of this process so far.
func spent() (time.Duration, error) {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		return 0, err
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano()), nil
}
