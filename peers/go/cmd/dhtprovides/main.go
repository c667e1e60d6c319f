// Command dhtprovides publishes provider records with go-libp2p-kad-dht, the
// classic way and the optimistic way, and writes down what each publication was
// told, whom it asked and to whom it gave the record, in the order in which that
// happened: enough to let another implementation decide on the same answers. Of
// each lookup that was brought to its end it writes down what the library's
// estimate of the network's size was fed with, and what it said then.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"kadscope-peers/go/internal/program"
)

type config struct {
	prefix    string
	network   string
	lookups   int
	provides  int
	clients   int
	seed      uint64
	timeout   time.Duration
	out       string
	bootstrap []peer.AddrInfo
}

func main() {
	program.Main("dhtprovides", parseConfig, run)
}

func parseConfig(args []string) (config, error) {
	var c config
	f := flag.NewFlagSet("dhtprovides", flag.ContinueOnError)
	f.StringVar(&c.prefix, "protocol-prefix", "/ipfs", "the DHT's protocol is this and /kad/1.0.0")
	f.StringVar(&c.network, "network", "", "what the network is, for the first line of what is written")
	f.IntVar(&c.lookups, "lookups", 6, "lookups of each client before it publishes")
	f.IntVar(&c.provides, "provides", 4, "publications of each client")
	f.IntVar(&c.clients, "clients", 4, "how many clients; every second one is optimistic, and each does one thing at a time")
	f.Uint64Var(&c.seed, "seed", 1, "what is published is drawn from this")
	f.DurationVar(&c.timeout, "timeout", 20*time.Minute, "longest time for everything")
	f.StringVar(&c.out, "out", "", "file to write (default: stdout)")
	var err error
	c.bootstrap, err = program.ParsePeers(f, args)
	if err != nil {
		return c, err
	}
	if c.lookups < 0 || c.provides < 1 || c.clients < 1 {
		return c, fmt.Errorf("provides and clients are at least 1, lookups at least 0")
	}
	return c, nil
}

func run(ctx context.Context, cfg config) error {
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.timeout, fmt.Errorf("not done after %s", cfg.timeout))
	defer cancel()
	tape := newTape(cfg)
	if err := provideAll(ctx, cfg, tape); err != nil {
		return err
	}
	out := os.Stdout
	if cfg.out != "" {
		var err error
		if out, err = os.Create(cfg.out); err != nil {
			return err
		}
		defer out.Close()
	}
	return tape.write(out)
}
