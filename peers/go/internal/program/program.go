// Package program is the frame of every test peer: arguments, signals, errors
// and exit codes.
package program

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/libp2p/go-libp2p/core/peer"
)

// Main reads the arguments and runs until it is done or a signal comes. It
// exits by 1 if that fails and by 2 if the arguments are wrong.
func Main[C any](name string, parse func([]string) (C, error), run func(context.Context, C) error) {
	// Said once a socket on machines with small UDP buffers; a loopback network does not need them.
	os.Setenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING", "true")
	cfg, err := parse(os.Args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, cfg); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// ParseBootstrap parses flags, and returns the addresses after them: at least
// one. Help was printed where it is asked for, and ends the program.
func ParseBootstrap(f *flag.FlagSet, args []string, forms string) ([]string, error) {
	f.Usage = func() {
		fmt.Fprintf(f.Output(), "usage: %s [flags] %s\n", f.Name(), forms)
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			os.Exit(0)
		}
		return nil, err
	}
	if f.NArg() == 0 {
		return nil, errors.New("no bootstrap multiaddress given")
	}
	return f.Args(), nil
}

// ParsePeers is ParseBootstrap for programs that have to know whom they begin
// at: each address ends in a peer's id.
func ParsePeers(f *flag.FlagSet, args []string) ([]peer.AddrInfo, error) {
	texts, err := ParseBootstrap(f, args, "MULTIADDR/p2p/ID...")
	if err != nil {
		return nil, err
	}
	var peers []peer.AddrInfo
	for _, text := range texts {
		ai, err := peer.AddrInfoFromString(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", text, err)
		}
		peers = append(peers, *ai)
	}
	return peers, nil
}
