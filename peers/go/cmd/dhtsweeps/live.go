package main

import (
	"context"
	"encoding/json"
	"io"
	"sync/atomic"
	"time"

	"github.com/ipfs/go-cid"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p-kad-dht/crawler"
	pb "github.com/libp2p/go-libp2p-kad-dht/pb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/protocol"

	"kadscope-peers/go/internal/loopback"
)

// liveResult is what the accelerated client did on a real network.
type liveResult struct {
	Library string `json:"library"`
	// Peers is how many peers the crawl found that answered.
	Peers int `json:"peers"`
	// Sent is to how many of the twenty closest each record was sent.
	Sent []int `json:"sent"`
	// Took is how long each publication took, in microseconds.
	Took []int64 `json:"took_us"`
	// Errors is what the library said of them.
	Errors []string `json:"errors"`
}

// everybody is the library's crawler, but whoever answers has a public address
// beside its own: the client keeps no others. The gate lets nobody dial it.
type everybody struct {
	crawler.Crawler
	host  host.Host
	found *atomic.Int64
}

func (e everybody) Run(ctx context.Context, start []*peer.AddrInfo, found crawler.HandleQueryResult, failed crawler.HandleQueryFail) {
	e.Crawler.Run(ctx, start, func(p peer.ID, known []*peer.AddrInfo) {
		e.found.Add(1)
		e.host.Peerstore().AddAddr(p, publicAddr, peerstore.PermanentAddrTTL)
		found(p, known)
	}, failed)
}

// countingSender counts the records that were sent.
type countingSender struct {
	pb.MessageSenderWithDisconnect
	sent, open atomic.Int64
}

func (s *countingSender) SendMessage(ctx context.Context, p peer.ID, m *pb.Message) error {
	s.open.Add(1)
	defer s.open.Add(-1)
	err := s.MessageSenderWithDisconnect.SendMessage(ctx, p, m)
	if err == nil {
		s.sent.Add(1)
	}
	return err
}

func runLive(ctx context.Context, cfg config, out io.Writer) error {
	h, err := loopback.Host("kadscope-dhtsweeps/1", loopback.TCP)
	if err != nil {
		return err
	}
	defer h.Close()
	for _, ai := range cfg.bootstrap {
		h.Peerstore().AddAddrs(ai.ID, ai.Addrs, peerstore.PermanentAddrTTL)
	}
	// It lends the library's message sender, which is not exported otherwise.
	plain, err := dht.New(h, dht.Mode(dht.ModeClient), dht.DisableAutoRefresh())
	if err != nil {
		return err
	}
	defer plain.Close()
	sender := &countingSender{}
	sender.MessageSenderWithDisconnect, _ = plain.MessageSender().(pb.MessageSenderWithDisconnect)
	crawl, err := crawler.NewDefaultCrawler(h, crawler.WithParallelism(200))
	if err != nil {
		return err
	}
	result := liveResult{Library: library}
	found := &atomic.Int64{}
	around := func(host.Host, []protocol.ID) pb.MessageSenderWithDisconnect { return sender }
	client, err := newClient(ctx, h, seeded{everybody{crawl, h, found}, cfg.bootstrap}, around)
	if err != nil {
		return err
	}
	defer client.Close()
	result.Peers = len(client.Stat())
	for i := range cfg.count {
		before, begun := sender.sent.Load(), time.Now()
		err := client.Provide(ctx, cid.NewCidV1(cid.Raw, key(i)), true)
		result.Took = append(result.Took, time.Since(begun).Microseconds())
		text := ""
		if err != nil {
			text = err.Error()
		}
		result.Errors = append(result.Errors, text)
		time.Sleep(50 * time.Millisecond)
		for sender.open.Load() > 0 {
			time.Sleep(time.Millisecond)
		}
		result.Sent = append(result.Sent, int(sender.sent.Load()-before))
	}
	return json.NewEncoder(out).Encode(result)
}

// seeded begins a crawl with these peers.
type seeded struct {
	crawler.Crawler
	from []peer.AddrInfo
}

func (s seeded) Run(ctx context.Context, start []*peer.AddrInfo, found crawler.HandleQueryResult, failed crawler.HandleQueryFail) {
	for i := range s.from {
		start = append(start, &s.from[i])
	}
	s.Crawler.Run(ctx, start, found, failed)
}
