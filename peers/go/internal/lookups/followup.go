package lookups

import (
	"runtime"
	"strings"
)

// IsFollowUp says whether a request that is made by the caller comes from a
// lookup's second part. The library does not tell; its search asks from
// (*query).queryPeer alone.
func IsFollowUp() bool {
	callers := make([]uintptr, 32)
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers)])
	for {
		frame, more := frames.Next()
		if strings.HasSuffix(frame.Function, "(*query).queryPeer") {
			return false
		}
		if !more {
			return true
		}
	}
}
