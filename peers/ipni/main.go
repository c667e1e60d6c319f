// Command ipnipeer is an indexer or a publisher made of go-libipni, for tests of interoperation. It prints one line of JSON when it
// stands, obeys lines of its input, and ends with it.
//
//	ipnipeer index              takes announcements, fetches and verifies what they announce, and says who has a multihash
//	ipnipeer publish INDEXER    publishes one advertisement and announces it to INDEXER, in CBOR or in JSON
//
// An indexer answers any line with what it has taken: {"ads":[{"cid","provider","context","metadata","removal","hashes"}],"errors":[]}.
// A publisher obeys `update` (other metadata, no multihashes), `remove`, and answers with {"ad"} or {"error"}; `json` and `cbor` say how
// the next announcement is written. Nothing but 127.0.0.1 is listened on.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// limit is how long anything that is asked over a network may take.
const limit = 30 * time.Second

func main() {
	ctx := context.Background()
	var err error
	switch {
	case len(os.Args) == 2 && os.Args[1] == "index":
		err = index(ctx)
	case len(os.Args) == 3 && os.Args[1] == "publish":
		err = publish(ctx, os.Args[2])
	default:
		err = fmt.Errorf("usage: ipnipeer index | publish INDEXER")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "ipnipeer:", err)
		os.Exit(1)
	}
}

// say prints a line of JSON.
func say(value any) error {
	return json.NewEncoder(os.Stdout).Encode(value)
}

// obey answers each line of the input.
func obey(answer func(line string) any) error {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if err := say(answer(lines.Text())); err != nil {
			return err
		}
	}
	return lines.Err()
}
