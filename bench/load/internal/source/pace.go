package source

import (
	"math/rand/v2"
	"time"

	"viaduc/bench/load/internal/tally"
)

// pace calls due at a fixed rate, from a random phase on, until quit. What is late is made up for at once, as an encoder's
// queue would; how late it was says whether this machine keeps up.
func pace(every time.Duration, lateness *tally.Histogram, quit <-chan struct{}, due func()) {
	next := time.Now().Add(rand.N(every))
	timer := time.NewTimer(time.Until(next))
	defer timer.Stop()
	for {
		select {
		case <-quit:
			return
		case <-timer.C:
		}
		lateness.Add(time.Since(next))
		due()
		next = next.Add(every)
		timer.Reset(max(0, time.Until(next)))
	}
}
