package main

import (
	"bytes"
	"slices"
	"testing"
)

func TestClosestAreSortedByDistance(t *testing.T) {
	n := newNetwork(300)
	to := place("somewhere")
	closest := n.closest(to)
	if len(closest) != k || len(newNetwork(3).closest(to)) != 3 {
		t.Fatalf("%d are closest", len(closest))
	}
	distance := func(i int) []byte {
		d := make([]byte, len(to))
		for j := range d {
			d[j] = n.places[i][j] ^ to[j]
		}
		return d
	}
	byDistance := func(a, b int) int { return bytes.Compare(distance(a), distance(b)) }
	if !slices.IsSortedFunc(closest, byDistance) {
		t.Fatal("not in the order of their distances")
	}
	for i := range n.places {
		if !slices.Contains(closest, i) && byDistance(i, closest[k-1]) < 0 {
			t.Fatalf("%d is closer than the last", i)
		}
	}
}

func TestKeysAreUneven(t *testing.T) {
	var counts [32]int
	for _, n := range unevenKeys() {
		p := place(string(key(n)))
		counts[p[0]>>3]++
	}
	for part, count := range counts {
		if count != part+1 {
			t.Fatalf("part %d has %d keys", part, count)
		}
	}
}
