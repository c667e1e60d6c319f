package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"
)

// keyTypes in the order in which "mixed" takes them.
var keyTypes = []string{"ed25519", "rsa", "secp256k1", "ecdsa"}

type config struct {
	n             int
	transport     string
	security      string
	prefix        string
	keys          string
	listen        []net.IP
	agents        []string
	bootstrap     int
	settle        time.Duration
	refresh       time.Duration
	maxStreams    int
	maxConns      int
	oneRequest    bool
	libraryLimits bool
	autonat       bool
}

func parseConfig(args []string) (config, error) {
	var c config
	f := flag.NewFlagSet("dhtservers", flag.ContinueOnError)
	f.IntVar(&c.n, "n", 20, "`servers` to run; about n*n/2 connections: over TCP at most 130 with 20,000 descriptors")
	f.StringVar(&c.transport, "transport", "both", "tcp, quic or both")
	f.StringVar(&c.security, "security", "both", "security over TCP: noise, tls or both (QUIC has its own)")
	f.StringVar(&c.prefix, "protocol-prefix", "/ipfs", "the DHT's protocol is this and /kad/1.0.0")
	f.StringVar(&c.keys, "keys", "ed25519", strings.Join(keyTypes, ", ")+", or mixed: each in turn")
	listen := f.String("listen", "127.0.0.1", "`IPs` to listen on, separated by commas, taken in turn")
	agents := f.String("agent", "kadscope-dhtservers/1", "agent `versions`, separated by commas, taken in turn")
	f.IntVar(&c.bootstrap, "bootstrap", 3, "how many servers' addresses are printed")
	f.DurationVar(&c.settle, "settle", 2*time.Minute, "longest wait for stable routing tables")
	f.DurationVar(&c.refresh, "refresh", 0, "how often each server refreshes its routing table, and tests who in it was silent for 4.3 times as long (0: never, once the network stands)")
	f.IntVar(&c.maxStreams, "max-streams-per-conn", 0, "inbound streams a client may have open at once, identify's included; more are reset (0: no limit)")
	f.IntVar(&c.maxConns, "max-conns", 0, "inbound connections of clients a server holds at once; more are closed on accept (0: no limit)")
	f.BoolVar(&c.oneRequest, "one-request-per-stream", false, "close a DHT stream after one answer")
	f.BoolVar(&c.libraryLimits, "library-limits", false, "the library's own resource limits instead of none")
	f.BoolVar(&c.autonat, "autonat", false, "answer AutoNAT, version 2: dial back whoever asks, at loopback addresses too")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			os.Exit(0)
		}
		return c, err
	}
	c.agents = strings.Split(*agents, ",")
	for _, s := range strings.Split(*listen, ",") {
		ip := net.ParseIP(s)
		if ip == nil {
			return c, fmt.Errorf("-listen: %q is not an IP", s)
		}
		c.listen = append(c.listen, ip)
	}
	return c, c.check(f)
}

func (c config) check(f *flag.FlagSet) error {
	oneOf := func(name, value string, known ...string) error {
		if slices.Contains(known, value) {
			return nil
		}
		return fmt.Errorf("-%s: %q is none of %s", name, value, strings.Join(known, ", "))
	}
	if f.NArg() > 0 {
		return fmt.Errorf("%q: no arguments beside the flags", f.Arg(0))
	}
	if c.n < 2 {
		return errors.New("-n: a network has at least 2 servers")
	}
	if c.refresh < 0 {
		return errors.New("-refresh starts at 0")
	}
	if c.bootstrap < 1 || c.maxStreams < 0 || c.maxConns < 0 {
		return errors.New("-bootstrap starts at 1, limits at 0")
	}
	return errors.Join(
		oneOf("transport", c.transport, "tcp", "quic", "both"),
		oneOf("security", c.security, "noise", "tls", "both"),
		oneOf("keys", c.keys, append([]string{"mixed"}, keyTypes...)...),
	)
}
