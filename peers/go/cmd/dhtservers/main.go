// Command dhtservers runs DHT servers of go-libp2p-kad-dht in one process on
// loopback, connects them into one network, and tells what each of them has in
// its routing table.
//
// It prints {"bootstrap":[...]} when the network stands. Then it obeys lines
// on stdin: "truth" prints one JSON line with every peer, "quit" or the end of
// stdin ends it.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"kadscope-peers/go/internal/program"
)

func main() {
	program.Main("dhtservers", parseConfig, run)
}

func run(ctx context.Context, cfg config) error {
	servers := make([]*server, 0, cfg.n)
	defer func() {
		for _, s := range servers {
			s.close()
		}
	}()
	for i := range cfg.n {
		s, err := newServer(cfg, i)
		if err != nil {
			return fmt.Errorf("server %d: %w", i, err)
		}
		servers = append(servers, s)
	}
	if err := form(ctx, cfg, servers); err != nil {
		return err
	}
	for _, s := range servers {
		s.limits.arm()
	}
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(map[string][]string{"bootstrap": bootstrap(cfg, servers)}); err != nil {
		return err
	}
	return obey(ctx, servers, out)
}

// bootstrap returns every address of the first few servers.
func bootstrap(cfg config, servers []*server) []string {
	var all []string
	for _, s := range servers[:min(cfg.bootstrap, len(servers))] {
		for _, a := range s.host.Addrs() {
			all = append(all, fmt.Sprintf("%s/p2p/%s", a, s.host.ID()))
		}
	}
	return all
}

// obey answers the lines of stdin until "quit", its end, or ctx is done.
func obey(ctx context.Context, servers []*server, out *json.Encoder) error {
	lines := make(chan string)
	go func() {
		defer close(lines)
		in := bufio.NewScanner(os.Stdin)
		for in.Scan() {
			lines <- in.Text()
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case line, more := <-lines:
			switch {
			case !more || line == "quit":
				return nil
			case line == "truth":
				if err := out.Encode(readTruth(servers)); err != nil {
					return err
				}
			case line != "":
				fmt.Fprintf(os.Stderr, "dhtservers: %q is neither \"truth\" nor \"quit\"\n", line)
			}
		}
	}
}
