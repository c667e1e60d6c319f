// Command dhtfirst measures how soon clients of go-libp2p-kad-dht find the
// first provider of a key: after how many hops, requests and milliseconds, as
// one JSON object.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multihash"

	"kadscope-peers/go/internal/program"
)

type config struct {
	keys      int
	clients   int
	seed      uint64
	publish   bool
	look      bool
	timeout   time.Duration
	bootstrap []peer.AddrInfo
}

func main() {
	program.Main("dhtfirst", parseConfig, run)
}

func parseConfig(args []string) (config, error) {
	var c config
	f := flag.NewFlagSet("dhtfirst", flag.ContinueOnError)
	f.IntVar(&c.keys, "keys", 100, "how many keys are looked up, each by one client")
	f.IntVar(&c.clients, "clients", 10, "how many clients look them up: each knows the bootstrap peers alone, and learns as it goes")
	f.Uint64Var(&c.seed, "seed", 1, "keys are drawn from this")
	f.BoolVar(&c.publish, "publish", true, "provide the keys first")
	f.BoolVar(&c.look, "look", true, "look them up")
	f.DurationVar(&c.timeout, "timeout", 5*time.Minute, "longest time for everything")
	var err error
	c.bootstrap, err = program.ParsePeers(f, args)
	if err != nil {
		return c, err
	}
	if c.keys < 1 || c.clients < 1 {
		return c, fmt.Errorf("keys and clients are at least 1")
	}
	return c, nil
}

func run(ctx context.Context, cfg config) error {
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.timeout, fmt.Errorf("not done after %s", cfg.timeout))
	defer cancel()
	if cfg.publish {
		if err := publish(ctx, cfg); err != nil {
			return err
		}
	}
	var seen findings
	if cfg.look {
		if err := look(ctx, cfg, &seen); err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(seen.result())
}

// publish provides the keys by a node of its own.
func publish(ctx context.Context, cfg config) error {
	n, err := join(ctx, cfg)
	if err != nil {
		return err
	}
	defer n.close()
	for i := range cfg.keys {
		if err := n.dht.Provide(ctx, key(cfg, i), true); err != nil {
			return err
		}
	}
	return nil
}

// look lets the clients look the keys up, one after the other.
func look(ctx context.Context, cfg config, seen *findings) error {
	var clients []*node
	defer func() {
		for _, n := range clients {
			n.close()
		}
	}()
	for range min(cfg.clients, cfg.keys) {
		n, err := join(ctx, cfg)
		if err != nil {
			return err
		}
		clients = append(clients, n)
	}
	for i := range cfg.keys {
		found, err := clients[i%len(clients)].first(ctx, key(cfg, i))
		if err != nil {
			return err
		}
		seen.note(found)
	}
	return nil
}

// key gives the i-th key.
func key(cfg config, i int) cid.Cid {
	hash, _ := multihash.Sum(fmt.Appendf(nil, "%d first %d", cfg.seed, i), multihash.SHA2_256, -1) // A known code.
	return cid.NewCidV1(cid.Raw, hash)
}
