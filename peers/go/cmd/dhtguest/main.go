// Command dhtguest joins a network as a DHT server of go-libp2p-kad-dht, gives
// it a provider record and two values, and lets a client of its own look for
// all of them.
//
// It prints one line: who it is, and what the client found. Then it stays in
// the network until stdin says "quit" or ends.
package main

import (
	"bufio"
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
	prefix    string
	agent     string
	timeout   time.Duration
	bootstrap []peer.AddrInfo
}

func main() {
	program.Main("dhtguest", parseConfig, run)
}

func parseConfig(args []string) (config, error) {
	var c config
	f := flag.NewFlagSet("dhtguest", flag.ContinueOnError)
	f.StringVar(&c.prefix, "protocol-prefix", "/ipfs", "the DHT's protocol is this and /kad/1.0.0")
	f.StringVar(&c.agent, "agent", "kadscope-dhtguest/1", "agent version")
	f.DurationVar(&c.timeout, "timeout", time.Minute, "longest time for all that is done before the line is printed")
	var err error
	c.bootstrap, err = program.ParsePeers(f, args)
	return c, err
}

func run(ctx context.Context, cfg config) error {
	server, err := join(cfg, true)
	if err != nil {
		return err
	}
	defer server.close()
	found, err := visit(ctx, cfg, server)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		return err
	}
	return stay(ctx)
}

// visit does all that the network is tried with.
func visit(ctx context.Context, cfg config, server *node) (*result, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.timeout, fmt.Errorf("not done after %s", cfg.timeout))
	defer cancel()
	gifts, err := newGifts(server)
	if err != nil {
		return nil, err
	}
	if err := server.enter(ctx, cfg.bootstrap); err != nil {
		return nil, err
	}
	if err := gifts.give(ctx, server); err != nil {
		return nil, err
	}
	client, err := join(cfg, false)
	if err != nil {
		return nil, err
	}
	defer client.close()
	if err := client.enter(ctx, cfg.bootstrap); err != nil {
		return nil, err
	}
	return gifts.find(ctx, client, server)
}

// stay waits for the end of stdin, "quit", or the end of ctx.
func stay(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		in := bufio.NewScanner(os.Stdin)
		for in.Scan() && in.Text() != "quit" {
		}
	}()
	select {
	case <-ctx.Done():
	case <-done:
	}
	return nil
}
