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
