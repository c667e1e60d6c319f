package main

import (
	"slices"
	"time"
)

// findings are those of all lookups.
type findings struct {
	hops     []int
	requests []int
	took     []time.Duration
	lookups  int
}

// result is what the program prints. Of lookups that found nobody only their
// number is counted; the rest is null where nobody was found.
type result struct {
	Lookups int `json:"lookups"`
	Found   int `json:"found"`
	// How many lookups found the first provider at which hop.
	Hops map[int]int `json:"hops"`
	// The mean of that.
	MeanHops *float64 `json:"mean_hops"`
	// How many requests had been sent when it came.
	MeanRequests *float64 `json:"mean_requests"`
	// How long that took, in milliseconds.
	P50MS *float64 `json:"p50_ms"`
	P90MS *float64 `json:"p90_ms"`
}

func (f *findings) note(one finding) {
	f.lookups++
	if one.found {
		f.hops = append(f.hops, one.hop)
		f.requests = append(f.requests, one.requests)
		f.took = append(f.took, one.took)
	}
}

func (f *findings) result() result {
	r := result{Lookups: f.lookups, Found: len(f.hops), Hops: map[int]int{}}
	for _, hop := range f.hops {
		r.Hops[hop]++
	}
	if r.Found == 0 {
		return r
	}
	slices.Sort(f.took)
	r.MeanHops, r.MeanRequests = mean(f.hops), mean(f.requests)
	r.P50MS, r.P90MS = quantile(f.took, 0.5), quantile(f.took, 0.9)
	return r
}

func mean(all []int) *float64 {
	sum := 0
	for _, one := range all {
		sum += one
	}
	m := float64(sum) / float64(len(all))
	return &m
}

// quantile is the smallest that at least that share of all does not exceed.
func quantile(sorted []time.Duration, share float64) *float64 {
	at := max(0, int(share*float64(len(sorted))+0.9999)-1)
	ms := float64(sorted[min(at, len(sorted)-1)].Microseconds()) / 1e3
	return &ms
}
