package main

import (
	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p-kad-dht/netsize"
	pb "github.com/libp2p/go-libp2p-kad-dht/pb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/protocol"

	"kadscope-peers/go/internal/loopback"
)

// The rules, the library's defaults written out.
const (
	bucketSize  = 20
	concurrency = 10
	resiliency  = 3
	jobs        = 60
)

// node is a host with a DHT in client mode that has an address to announce.
type node struct {
	host    host.Host
	dht     *dht.IpfsDHT
	watched *loopback.Watched
	// sender knows the publication under way.
	sender *watchedSender
	// estimator is a second one beside the library's own, which shows what it is fed with.
	estimator *netsize.Estimator
}

func join(cfg config, optimistic bool) (*node, error) {
	h, err := loopback.Host("kadscope-dhtprovides/1", loopback.TCP)
	if err != nil {
		return nil, err
	}
	n := &node{host: h}
	if err := n.open(cfg, optimistic); err != nil {
		n.close()
		return nil, err
	}
	n.estimator = netsize.NewEstimator(h.ID(), n.dht.RoutingTable(), bucketSize)
	return n, nil
}

// open makes the DHT whose requests are watched.
func (n *node) open(cfg config, optimistic bool) error {
	options := []dht.Option{
		dht.Mode(dht.ModeClient),
		dht.ProtocolPrefix(protocol.ID(cfg.prefix)),
		dht.DisableAutoRefresh(),
		dht.BucketSize(bucketSize),
		dht.Concurrency(concurrency),
		dht.Resiliency(resiliency),
	}
	if optimistic {
		options = append(options, dht.EnableOptimisticProvide(), dht.OptimisticProvideJobsPoolSize(jobs))
	}
	around := func(sender pb.MessageSenderWithDisconnect) pb.MessageSenderWithDisconnect {
		n.sender = &watchedSender{MessageSenderWithDisconnect: sender}
		return n.sender
	}
	watched, err := loopback.Watch(n.host, around, options...)
	if err == nil {
		n.watched, n.dht = watched, watched.DHT
	}
	return err
}

func (n *node) close() {
	if n.watched != nil {
		n.watched.Close()
	}
	n.host.Close()
}
