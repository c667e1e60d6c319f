// Command dhtcrawl crawls a network with the crawler of go-libp2p-kad-dht and
// prints what it found and what that cost as one JSON object.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p-kad-dht/crawler"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"kadscope-peers/go/internal/gate"
	"kadscope-peers/go/internal/program"
)

type config struct {
	protocol       string
	agent          string
	parallelism    int
	connectTimeout time.Duration
	messageTimeout time.Duration
	addresses      string
	close          bool
	ids            bool
	neighbors      bool
	bootstrap      []string
}

func main() {
	program.Main("dhtcrawl", parseConfig, run)
}

func run(ctx context.Context, cfg config) error {
	found, err := crawl(ctx, cfg)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		return err
	}
	if found.PeersOK == 0 {
		return errors.New("no peer answered")
	}
	return nil
}

func parseConfig(args []string) (config, error) {
	var c config
	f := flag.NewFlagSet("dhtcrawl", flag.ContinueOnError)
	f.StringVar(&c.protocol, "protocol", "/ipfs/kad/1.0.0", "the DHT's protocol")
	f.StringVar(&c.agent, "agent", "kadscope-dhtcrawl/1", "agent version")
	f.IntVar(&c.parallelism, "parallelism", 1000, "peers visited at once")
	f.DurationVar(&c.connectTimeout, "connect-timeout", 5*time.Second, "for one connection; a visit may take three times this")
	f.DurationVar(&c.messageTimeout, "message-timeout", 5*time.Second, "for one request")
	f.StringVar(&c.addresses, "addresses", "loopback", "loopback: dial nothing else; any: dial what peers announce (only where no packet can leave)")
	f.BoolVar(&c.close, "close", false, "close a peer's connections after its visit; without, they stay open to the end, as in the tool")
	f.BoolVar(&c.ids, "ids", false, "print the ids of those that answered, and the errors of the others")
	f.BoolVar(&c.neighbors, "neighbors", false, "print each peer's neighbors")
	bootstrap, err := program.ParseBootstrap(f, args, "MULTIADDR/p2p/ID... or /dnsaddr/NAME...")
	if err != nil {
		return c, err
	}
	if c.addresses != "loopback" && c.addresses != "any" {
		return c, fmt.Errorf("-addresses: %q is neither loopback nor any", c.addresses)
	}
	c.bootstrap = bootstrap
	return c, nil
}

func newHost(cfg config) (host.Host, error) {
	opts := []libp2p.Option{
		libp2p.NoListenAddrs,
		libp2p.ResourceManager(&network.NullResourceManager{}),
		libp2p.UserAgent(cfg.agent),
		libp2p.DisableMetrics(),
	}
	if cfg.addresses == "loopback" {
		opts = append(opts, libp2p.ConnectionGater(gate.Gate{}))
	}
	return libp2p.New(opts...)
}

func crawl(ctx context.Context, cfg config) (*result, error) {
	bootstrap, err := bootstrapPeers(ctx, cfg.bootstrap)
	if err != nil {
		return nil, err
	}
	h, err := newHost(cfg)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	c, err := crawler.NewDefaultCrawler(h,
		crawler.WithProtocols([]protocol.ID{protocol.ID(cfg.protocol)}),
		crawler.WithParallelism(cfg.parallelism),
		crawler.WithConnectTimeout(cfg.connectTimeout),
		crawler.WithMsgTimeout(cfg.messageTimeout),
	)
	if err != nil {
		return nil, err
	}
	found := newResult(cfg)
	begin := time.Now()
	c.Run(ctx, bootstrap,
		func(p peer.ID, neighbors []*peer.AddrInfo) {
			found.answered(p, neighbors)
			if cfg.close {
				// In the background: this callback is the crawler's only loop.
				go h.Network().ClosePeer(p)
			}
		},
		func(p peer.ID, err error) {
			found.failed(p, err)
			if cfg.close {
				go h.Network().ClosePeer(p)
			}
		})
	found.WallS = time.Since(begin).Seconds()
	return found, found.measure()
}
