// Package golden records what Go's libraries do, as data that tests of crates/kad replay.
//
//	go test ./golden            the data that stands in crates/kad/tests/data is still what Go does
//	go test ./golden -update    write it anew
//
// Clocks are virtual and choices come from seeds, so that the same versions record the same bytes, signatures of ECDSA apart.
package golden
