// Command dhtcost measures what lookups and provides of go-libp2p-kad-dht cost
// a process that makes many: its CPU time for each, as one JSON object.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multihash"

	"kadscope-peers/go/internal/program"
)

type config struct {
	count     int
	warm      int
	seed      uint64
	strategy  string
	hold      bool
	timeout   time.Duration
	bootstrap []peer.AddrInfo
}

// cost is what one call of a kind took of this process.
type cost struct {
	// CPU time in microseconds, in the program and in the kernel.
	UserUS   float64 `json:"user_us"`
	SystemUS float64 `json:"system_us"`
	// How many connections all calls of the kind made anew.
	Dials int `json:"dials"`
}

// result is what the program prints.
type result struct {
	// A lookup of providers that ends with the first of one.
	Found cost `json:"found"`
	// A lookup of providers of what nobody provides.
	Unknown cost `json:"unknown"`
	// A provide: a lookup, and a record to the closest.
	Provide cost `json:"provide"`
	// How many of the lookups that were to find a provider did.
	Providers int `json:"providers"`
	// Who published.
	Peer string `json:"peer"`
	// How many connections stood in the end.
	Connections int `json:"connections"`
}

func main() {
	program.Main("dhtcost", parseConfig, run)
}

func parseConfig(args []string) (config, error) {
	var c config
	f := flag.NewFlagSet("dhtcost", flag.ContinueOnError)
	f.IntVar(&c.count, "count", 100, "how many of each are measured, one after the other")
	f.IntVar(&c.warm, "warm", 50, "how many lookups come before, to fill the routing table and to connect")
	f.StringVar(&c.strategy, "strategy", classic, "how it publishes: default, optprov or fullrt")
	f.BoolVar(&c.hold, "hold", false, "stay until the input ends, with all connections")
	f.Uint64Var(&c.seed, "seed", 1, "keys are drawn from this")
	f.DurationVar(&c.timeout, "timeout", 5*time.Minute, "longest time for everything")
	var err error
	c.bootstrap, err = program.ParsePeers(f, args)
	if err != nil {
		return c, err
	}
	if c.strategy != classic && c.strategy != optimistic && c.strategy != fullTable {
		return c, fmt.Errorf("there is no strategy %q", c.strategy)
	}
	if c.count < 1 || c.warm < 0 {
		return c, fmt.Errorf("count is at least 1, and warm at least 0")
	}
	return c, nil
}

func run(ctx context.Context, cfg config) error {
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.timeout, fmt.Errorf("not done after %s", cfg.timeout))
	defer cancel()
	if err := publish(ctx, cfg); err != nil {
		return err
	}
	n, err := join(ctx, cfg, cfg.strategy)
	if err != nil {
		return err
	}
	defer n.close()
	for i := range cfg.warm {
		if _, err := n.dht.GetClosestPeers(ctx, string(key(cfg, "warm", i).Hash())); err != nil {
			return err
		}
	}
	measured, err := measure(ctx, cfg, n)
	if err != nil {
		return err
	}
	measured.Peer = n.host.ID().String()
	if err := json.NewEncoder(os.Stdout).Encode(measured); err != nil || !cfg.hold {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// publish gives the network what is to be found, by a node of its own.
func publish(ctx context.Context, cfg config) error {
	n, err := join(ctx, cfg, classic)
	if err != nil {
		return err
	}
	defer n.close()
	for i := range cfg.count {
		if err := n.dht.Provide(ctx, key(cfg, "found", i), true); err != nil {
			return err
		}
	}
	return nil
}

func measure(ctx context.Context, cfg config, n *node) (result, error) {
	var r result
	var err error
	r.Found, err = n.perCall(cfg.count, func(i int) error {
		for range n.routes.FindProvidersAsync(ctx, key(cfg, "found", i), 1) {
			r.Providers++
		}
		return ctx.Err()
	})
	if err != nil {
		return r, err
	}
	r.Unknown, err = n.perCall(cfg.count, func(i int) error {
		for range n.routes.FindProvidersAsync(ctx, key(cfg, "unknown", i), 1) {
			return fmt.Errorf("somebody provides what nobody does")
		}
		return ctx.Err()
	})
	if err != nil {
		return r, err
	}
	r.Provide, err = n.perCall(cfg.count, func(i int) error {
		return n.routes.Provide(ctx, key(cfg, "provide", i), true)
	})
	r.Connections = len(n.host.Network().Conns())
	return r, err
}

// key gives the i-th of the keys of one kind.
func key(cfg config, kind string, i int) cid.Cid {
	hash, _ := multihash.Sum(fmt.Appendf(nil, "%d %s %d", cfg.seed, kind, i), multihash.SHA2_256, -1) // A known code.
	return cid.NewCidV1(cid.Raw, hash)
}
