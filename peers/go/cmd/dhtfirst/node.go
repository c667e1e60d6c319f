package main

import (
	"context"
	"time"

	"github.com/ipfs/go-cid"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	pb "github.com/libp2p/go-libp2p-kad-dht/pb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"

	"kadscope-peers/go/internal/loopback"
)

// node is a host that listens, so that it has an address to announce, with a
// DHT in client mode at its defaults, whose requests are watched.
type node struct {
	host    host.Host
	dht     *dht.IpfsDHT
	watched *loopback.Watched
}

// join makes a node, and returns when its routing table has somebody.
func join(ctx context.Context, cfg config) (*node, error) {
	h, err := loopback.Host("kadscope-dhtfirst/1", loopback.TCP)
	if err != nil {
		return nil, err
	}
	n := &node{host: h}
	around := func(sender pb.MessageSenderWithDisconnect) pb.MessageSenderWithDisconnect {
		return &watchedSender{sender}
	}
	n.watched, err = loopback.Watch(h, around, dht.Mode(dht.ModeClient), dht.DisableAutoRefresh())
	if err == nil {
		n.dht = n.watched.DHT
		err = loopback.Enter(ctx, h, n.dht, cfg.bootstrap)
	}
	if err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

func (n *node) close() {
	if n.watched != nil {
		n.watched.Close()
	}
	n.host.Close()
}

// first looks a key up until the first provider comes.
func (n *node) first(ctx context.Context, key cid.Cid) (finding, error) {
	w := &watch{begun: time.Now(), hops: map[peer.ID]int{}}
	watched, cancel := context.WithCancel(context.WithValue(ctx, watchKey{}, w))
	defer cancel()
	for range n.dht.FindProvidersAsync(watched, key, 1) {
		break
	}
	return w.finding(), ctx.Err()
}
