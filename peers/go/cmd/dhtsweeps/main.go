// Command dhtsweeps runs the publications of go-libp2p-kad-dht that know many
// peers at once, and writes down whom they gave what: those of its accelerated
// client (fullrt) and those of its sweeping provider.
//
// Their peers are scripted: what is sent reaches nobody, and what comes of it
// is drawn from the seed. So the library decides, and nothing else does. With
// -live the accelerated client publishes to real peers instead.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"kadscope-peers/go/internal/program"
)

type config struct {
	what      string
	peers     int
	dead      float64
	count     int
	seed      uint64
	timeout   time.Duration
	out       string
	bootstrap []peer.AddrInfo
}

func main() {
	program.Main("dhtsweeps", parseConfig, run)
}

func parseConfig(args []string) (config, error) {
	var c config
	f := flag.NewFlagSet("dhtsweeps", flag.ContinueOnError)
	f.StringVar(&c.what, "what", "fullrt", "fullrt or sweep, with scripted peers; live: fullrt with those at the addresses")
	f.IntVar(&c.peers, "peers", 1000, "how many scripted peers")
	f.Float64Var(&c.dead, "dead", 0.3, "which share of the scripted peers is dead, for sweep")
	f.IntVar(&c.count, "count", 24, "how many publications (fullrt, live)")
	f.Uint64Var(&c.seed, "seed", 1, "everything is drawn from this")
	f.DurationVar(&c.timeout, "timeout", 10*time.Minute, "longest time for everything")
	f.StringVar(&c.out, "out", "", "file to write (default: stdout)")
	if err := f.Parse(args); err != nil {
		return c, err
	}
	for _, text := range f.Args() {
		ai, err := peer.AddrInfoFromString(text)
		if err != nil {
			return c, fmt.Errorf("%s: %w", text, err)
		}
		c.bootstrap = append(c.bootstrap, *ai)
	}
	if (c.what == "live") != (len(c.bootstrap) > 0) {
		return c, fmt.Errorf("addresses go with -what live, and it with them")
	}
	if c.peers < 1 || c.count < 1 || c.dead < 0 || c.dead > 1 {
		return c, fmt.Errorf("peers and count are at least 1, and dead is a share")
	}
	return c, nil
}

func run(ctx context.Context, cfg config) error {
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.timeout, fmt.Errorf("not done after %s", cfg.timeout))
	defer cancel()
	runs := map[string]func(context.Context, config, io.Writer) error{
		"fullrt": runFullRT, "sweep": runSweep, "live": runLive,
	}
	record, ok := runs[cfg.what]
	if !ok {
		return fmt.Errorf("no run of %q", cfg.what)
	}
	out := os.Stdout
	if cfg.out != "" {
		var err error
		if out, err = os.Create(cfg.out); err != nil {
			return err
		}
		defer out.Close()
	}
	return record(ctx, cfg, out)
}
