package tally

import (
	"sync"
	"time"

	"viaduc/bench/load/internal/stamp"
)

// Listener counts what one person receives.
type Listener struct {
	book     *Book
	room     uint32
	identity string

	mu       sync.Mutex
	window   *Window
	arrivals map[*Source]*arrivals
	audit    Audit
}

// arrivals of one source at one listener, since the window was opened.
type arrivals struct {
	ledgers map[uint32]*ledger
	current uint32
}

// Audit counts packets that should not be there.
type Audit struct {
	// Foreign ones were sent in another room.
	Foreign int `json:"foreign"`
	// Misattributed ones came in a track that the server had announced as another person's.
	Misattributed int `json:"misattributed"`
	// Mixed ones came in a track, under an SSRC, that had carried another source.
	Mixed int `json:"mixed"`
	// Unstamped ones are nobody's.
	Unstamped int `json:"unstamped"`
}

func (a *Audit) add(b Audit) {
	a.Foreign += b.Foreign
	a.Misattributed += b.Misattributed
	a.Mixed += b.Mixed
	a.Unstamped += b.Unstamped
}

// Track is one stream that a listener receives.
type Track struct {
	listener *Listener
	// announced is whose track the server says it is; "" while it has not said so.
	announced func() string
	sender    *Sender
}

// Track is told of a new stream.
func (l *Listener) Track(announced func() string) *Track {
	return &Track{listener: l, announced: announced}
}

// Packet takes in a payload without padding; the time of its arrival in ns since 1970.
func (t *Track) Packet(payload []byte, arrivedAt int64) {
	l := t.listener
	said, ours := stamp.Read(payload)
	if !ours {
		l.mu.Lock()
		l.audit.Unstamped++
		l.mu.Unlock()
		return
	}
	before := t.sender
	if before == nil || before.id != said.Sender {
		t.sender = l.book.sender(said)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	t.check(said, before)
	window := l.book.window.Load()
	if window == nil {
		return
	}
	if window != l.window {
		l.window, l.arrivals = window, map[*Source]*arrivals{}
	}
	from, until := window.from[said.Sender], window.end(said.Sender)
	if said.Counter < from || said.Counter >= until {
		return
	}
	window.delays.Add(time.Duration(arrivedAt - said.SentAt))
	window.bytes.Add(uint64(len(payload)))
	l.note(t.sender, said.Counter, from)
}

func (t *Track) check(said stamp.Stamp, before *Sender) {
	audit := &t.listener.audit
	if said.Room != t.listener.room {
		audit.Foreign++
	}
	source := t.sender.source
	if before != nil && before.source != source {
		audit.Mixed++
	}
	if announced := t.announced(); announced != "" && source.identity != "" && announced != source.identity {
		audit.Misattributed++
	}
}

func (l *Listener) note(sender *Sender, counter, from uint32) {
	came := l.arrivals[sender.source]
	if came == nil {
		came = &arrivals{ledgers: map[uint32]*ledger{}, current: sender.id}
		l.arrivals[sender.source] = came
	}
	entries := came.ledgers[sender.id]
	if entries == nil {
		entries = &ledger{from: from}
		came.ledgers[sender.id] = entries
	}
	entries.note(counter, came.current != sender.id)
	came.current = sender.id
}
