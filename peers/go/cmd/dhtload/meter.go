package main

import (
	"slices"
	"sync"
	"syscall"
	"time"
)

// meter counts what is answered.
type meter struct {
	mu       sync.Mutex
	requests int
	times    []time.Duration
}

func (m *meter) answered(requests int, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests += requests
	m.times = append(m.times, took)
}

// look is what there was at one time.
type look struct {
	at       time.Time
	use      syscall.Rusage
	requests int
	answers  int
}

func (m *meter) look() look {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := look{at: time.Now(), requests: m.requests, answers: len(m.times)}
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &l.use) // It cannot fail for oneself.
	return l
}

// result is what the program prints. Times are in microseconds.
type result struct {
	Requests int     `json:"requests"`
	LastedUS float64 `json:"lasted_us"`
	UserUS   float64 `json:"user_us"`
	SystemUS float64 `json:"system_us"`
	P50US    float64 `json:"p50_us"`
	P99US    float64 `json:"p99_us"`
}

func (m *meter) since(before look) result {
	now := m.look()
	m.mu.Lock()
	times := slices.Clone(m.times[before.answers:now.answers])
	m.mu.Unlock()
	slices.Sort(times)
	us := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }
	quantile := func(percent int) float64 {
		if len(times) == 0 {
			return 0
		}
		return us(times[min(len(times)*percent/100, len(times)-1)])
	}
	return result{
		Requests: now.requests - before.requests,
		LastedUS: us(now.at.Sub(before.at)),
		UserUS:   float64(now.use.Utime.Nano()-before.use.Utime.Nano()) / 1e3,
		SystemUS: float64(now.use.Stime.Nano()-before.use.Stime.Nano()) / 1e3,
		P50US:    quantile(50),
		P99US:    quantile(99),
	}
}
