package person

import "sync"

// latch is set once and stays so; done is closed then.
type latch struct {
	once sync.Once
	done chan struct{}
}

func newLatch() *latch { return &latch{done: make(chan struct{})} }

// set it; only for the first caller, prepare runs before others see it. It tells whether this was the first.
func (l *latch) set(prepare func()) (first bool) {
	l.once.Do(func() {
		prepare()
		first = true
		close(l.done)
	})
	return first
}

func (l *latch) isSet() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

func nothing() {}
