// Command dhtload asks one DHT server over and over, by hosts of go-libp2p with
// a stream each and one request in flight on it, and prints what was answered
// and what that took as one JSON object, after a line that says when it began
// to measure.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"kadscope-peers/go/internal/program"
)

type config struct {
	kind     string
	streams  int
	warm     time.Duration
	lasts    time.Duration
	protocol string
	server   peer.AddrInfo
}

func main() {
	program.Main("dhtload", parseConfig, run)
}

func parseConfig(args []string) (config, error) {
	var c config
	f := flag.NewFlagSet("dhtload", flag.ContinueOnError)
	f.StringVar(&c.kind, "kind", "find_node", "what is asked: ping, find_node, get_providers-hit, get_providers-miss or add_provider")
	f.IntVar(&c.streams, "streams", 40, "how many hosts ask, on one connection and one stream each")
	f.DurationVar(&c.warm, "warm", time.Second, "how long they ask before anything is measured")
	f.DurationVar(&c.lasts, "lasts", 5*time.Second, "how long is measured")
	f.StringVar(&c.protocol, "protocol", "/ipfs/kad/1.0.0", "the protocol that is asked by")
	servers, err := program.ParsePeers(f, args)
	if err != nil {
		return c, err
	}
	if len(servers) != 1 || c.streams < 1 {
		return c, fmt.Errorf("there is one server, and at least one stream")
	}
	c.server = servers[0]
	return c, nil
}

func run(ctx context.Context, cfg config) error {
	ask, err := kindNamed(cfg.kind)
	if err != nil {
		return err
	}
	var m meter
	var askers []*asker
	defer func() {
		for _, a := range askers {
			a.close()
		}
	}()
	for i := range cfg.streams {
		a, err := newAsker(ctx, cfg, uint32(i))
		if err != nil {
			return err
		}
		askers = append(askers, a)
	}
	if err := askers[0].give(hits); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for _, a := range askers {
		go func() { cancel(a.askOn(ctx, ask, &m)) }()
	}
	if err := wait(ctx, cfg.warm); err != nil {
		return err
	}
	// Whoever measures the server begins with this.
	fmt.Println("measuring")
	before := m.look()
	if err := wait(ctx, cfg.lasts); err != nil {
		return err
	}
	measured := m.since(before)
	cancel(nil)
	return json.NewEncoder(os.Stdout).Encode(measured)
}

// wait returns early only if somebody cannot ask on.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
