// Package tally owns the counting: what was sent, what came to whom, how late, and what should not have come.
package tally

import (
	"sync"
	"sync/atomic"
	"time"

	"viaduc/bench/load/internal/stamp"
)

// Book knows everybody who sends and everybody who listens.
type Book struct {
	mu        sync.RWMutex
	senders   map[uint32]*Sender
	sources   []*Source
	listeners []*Listener
	window    atomic.Pointer[Window]
}

// NewBook is empty.
func NewBook() *Book { return &Book{senders: map[uint32]*Sender{}} }

// Publish enters a track; layers is 1 but for a picture in several sizes.
func (b *Book) Publish(room, identity string, layers int) *Source {
	source := newSource(room, identity, layers)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sources = append(b.sources, source)
	for _, sender := range source.Senders {
		b.senders[sender.id] = sender
	}
	return source
}

// Listen enters somebody who is to receive every track of the room but their own.
func (b *Book) Listen(room, identity string) *Listener {
	l := &Listener{book: b, room: roomNumber(room), identity: identity}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.listeners = append(b.listeners, l)
	return l
}

// Open begins a window.
func (b *Book) Open(now time.Time) {
	b.window.Store(&Window{began: now, from: b.sent()})
}

// Shut ends it. What is still under way is counted until the result is asked for.
func (b *Book) Shut(now time.Time) {
	b.window.Load().shut.Store(&shutting{at: now, until: b.sent()})
}

// Missing counts the tracks of which their listeners have received nothing yet since the window was opened.
func (b *Book) Missing() int {
	window := b.window.Load()
	b.mu.RLock()
	defer b.mu.RUnlock()
	missing := 0
	for _, l := range b.listeners {
		l.mu.Lock()
		for _, source := range l.due() {
			if len(l.cameOf(source, window).ledgers) == 0 {
				missing++
			}
		}
		l.mu.Unlock()
	}
	return missing
}

func (b *Book) sent() counters {
	b.mu.RLock()
	defer b.mu.RUnlock()
	all := counters{}
	for _, source := range b.sources {
		for _, sender := range source.Senders {
			all[sender.id] = sender.sent.Load()
		}
	}
	return all
}

// sender of a packet. Those of another load in the same room are entered as they are met, without a name.
func (b *Book) sender(said stamp.Stamp) *Sender {
	b.mu.RLock()
	known := b.senders[said.Sender]
	b.mu.RUnlock()
	if known != nil {
		return known
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if known = b.senders[said.Sender]; known != nil {
		return known
	}
	source := &Source{room: said.Room}
	met := &Sender{id: said.Sender, source: source}
	source.Senders = []*Sender{met}
	b.senders[said.Sender] = met
	return met
}
