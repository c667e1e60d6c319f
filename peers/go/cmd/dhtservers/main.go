// Command dhtservers runs DHT servers of go-libp2p-kad-dht in one process on
// loopback, connects them into one network, and tells what each of them has in
// its routing table.
//
// It prints {"bootstrap":[...]} when the network stands. Then it obeys lines
// on stdin, and prints one JSON line for each: "truth" tells of every peer,
// "provide CID" lets the first server provide content, "providers CID" lets all
// of them look for who does. "quit" or the end of stdin ends it.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

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
			if !more || line == "quit" {
				return nil
			}
			answer, err := obeyLine(ctx, servers, line)
			if err != nil {
				return err
			}
			if answer == nil {
				continue
			}
			if err := out.Encode(answer); err != nil {
				return err
			}
		}
	}
}

// obeyLine returns what is to be printed for one line; nil for one that asks for nothing.
func obeyLine(ctx context.Context, servers []*server, line string) (any, error) {
	order, what, _ := strings.Cut(line, " ")
	switch order {
	case "truth":
		return readTruth(servers), nil
	case "provide":
		return provide(ctx, servers, what)
	case "providers":
		return providers(ctx, servers, what)
	case "":
		return nil, nil
	}
	fmt.Fprintf(os.Stderr, "dhtservers: %q is none of \"truth\", \"provide CID\", \"providers CID\" and \"quit\"\n", line)
	return nil, nil
}
