package golden

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the data anew")

// keep compares what was recorded with the data that stands there, or writes it.
func keep(t *testing.T, name string, recorded []byte) {
	t.Helper()
	path := filepath.Join("..", "..", "..", "crates", "kad", "tests", "data", name)
	if *update {
		if err := os.WriteFile(path, recorded, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	stands, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(stands, recorded) {
		t.Fatalf("%s is not what Go does any more: go test ./golden -update", name)
	}
}
