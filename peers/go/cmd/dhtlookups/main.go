// Command dhtlookups runs lookups of go-libp2p-kad-dht on a network and writes
// down what each of them was told and whom it asked, in the order in which its
// loop saw it: enough to let another implementation decide on the same answers.
//
// It gives the network provider records and values first, so that there is
// something to be found.
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
	prefix     string
	network    string
	lookups    int
	clients    int
	publishers int
	seed       uint64
	timeout    time.Duration
	out        string
	bootstrap  []peer.AddrInfo
}

func main() {
	program.Main("dhtlookups", parseConfig, run)
}

func parseConfig(args []string) (config, error) {
	var c config
	f := flag.NewFlagSet("dhtlookups", flag.ContinueOnError)
	f.StringVar(&c.prefix, "protocol-prefix", "/ipfs", "the DHT's protocol is this and /kad/1.0.0")
	f.StringVar(&c.network, "network", "", "what the network is, for the first line of what is written")
	f.IntVar(&c.lookups, "lookups", 60, "how many lookups")
	f.IntVar(&c.clients, "clients", 4, "how many clients share them; each runs one at a time")
	f.IntVar(&c.publishers, "publishers", 3, "how many peers provide content")
	f.Uint64Var(&c.seed, "seed", 1, "what keys are looked for is drawn from this")
	f.DurationVar(&c.timeout, "timeout", 20*time.Minute, "longest time for everything")
	f.StringVar(&c.out, "out", "", "file to write (default: stdout)")
	var err error
	c.bootstrap, err = program.ParsePeers(f, args)
	if err != nil {
		return c, err
	}
	if c.lookups < 1 || c.clients < 1 || c.publishers < 1 {
		return c, fmt.Errorf("lookups, clients and publishers are at least 1")
	}
	return c, nil
}

func run(ctx context.Context, cfg config) error {
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.timeout, fmt.Errorf("not done after %s", cfg.timeout))
	defer cancel()
	gifts, err := publish(ctx, cfg)
	if err != nil {
		return err
	}
	defer gifts.close()
	fmt.Fprintln(os.Stderr, "dhtlookups: everything is published")
	tape := newTape(cfg)
	if err := lookUpAll(ctx, cfg, gifts, tape); err != nil {
		return err
	}
	out := os.Stdout
	if cfg.out != "" {
		if out, err = os.Create(cfg.out); err != nil {
			return err
		}
		defer out.Close()
	}
	return tape.write(out)
}
