package tally

import (
	"sync/atomic"
	"time"
)

// counters of senders, by their ids.
type counters map[uint32]uint32

// Window is the stretch of the load that is measured. What belongs to it is told by the senders' counters,
// so that packets under way at its ends are counted rightly.
type Window struct {
	began  time.Time
	from   counters
	shut   atomic.Pointer[shutting]
	delays Histogram
	bytes  atomic.Uint64
}

type shutting struct {
	at    time.Time
	until counters
}

const endless = ^uint32(0)

// end of a sender's packets in the window: its counter when it was shut.
func (w *Window) end(sender uint32) uint32 {
	if shut := w.shut.Load(); shut != nil {
		if until, known := shut.until[sender]; known {
			return until
		}
	}
	return endless
}
