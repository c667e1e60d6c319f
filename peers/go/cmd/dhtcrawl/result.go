package main

import (
	"syscall"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// result is what the program prints. The callbacks that fill it run one after
// the other, on the crawler's own goroutine.
type result struct {
	PeersOK     int     `json:"peers_ok"`
	PeersFailed int     `json:"peers_failed"`
	Edges       int     `json:"edges"`
	WallS       float64 `json:"wall_s"`
	// User and system time of the process until the crawl's end.
	CPUS         float64             `json:"cpu_s"`
	PeakRSSBytes int64               `json:"peak_rss_bytes"`
	IDs          []string            `json:"ids,omitempty"`
	Errors       map[string]string   `json:"errors,omitempty"`
	Neighbors    map[string][]string `json:"neighbors,omitempty"`

	withIDs bool
}

func newResult(cfg config) *result {
	r := &result{withIDs: cfg.ids}
	if cfg.ids {
		r.Errors = make(map[string]string)
	}
	if cfg.neighbors {
		r.Neighbors = make(map[string][]string)
	}
	return r
}

func (r *result) answered(p peer.ID, neighbors []*peer.AddrInfo) {
	r.PeersOK++
	r.Edges += len(neighbors)
	if r.withIDs {
		r.IDs = append(r.IDs, p.String())
	}
	if r.Neighbors != nil {
		texts := make([]string, 0, len(neighbors))
		for _, n := range neighbors {
			texts = append(texts, n.ID.String())
		}
		r.Neighbors[p.String()] = texts
	}
}

// failed counts a peer without an answer; the crawler gives no error for one
// whose answers were empty.
func (r *result) failed(p peer.ID, err error) {
	r.PeersFailed++
	if !r.withIDs {
		return
	}
	text := "no neighbors"
	if err != nil {
		text = err.Error()
	}
	r.Errors[p.String()] = text
}

// measure reads what the process used so far.
func (r *result) measure() error {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		return err
	}
	spent := time.Duration(use.Utime.Nano() + use.Stime.Nano())
	r.CPUS = spent.Seconds()
	r.PeakRSSBytes = use.Maxrss * 1024 // Linux gives KiB
	return nil
}
