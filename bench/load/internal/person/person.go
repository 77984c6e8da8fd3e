// Package person owns one participant of the load: a signalling socket, and the two peer connections of client protocol v0.
package person

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/pion/webrtc/v4"

	"viaduc/bench/load/internal/peer"
	"viaduc/bench/load/internal/signal"
	"viaduc/bench/load/internal/tally"
	"viaduc/bench/load/internal/ticket"
)

const joinTimeout = 20 * time.Second

// Options of one person.
type Options struct {
	Ticket ticket.Ticket
	Book   *tally.Book
	// Profile of SRTP by its name.
	Profile string
	// Listens to everybody else of the room.
	Listens  bool
	Publish  Publication
	Lateness *tally.Histogram
	Log      func(format string, values ...any)
}

// Person takes part from Join until Leave.
type Person struct {
	options Options
	socket  *signal.Socket
	names   *names

	// Made when the server has answered, before anything else of it is read.
	identity           string
	listener           *tally.Listener
	sending, receiving *webrtc.PeerConnection
	arrivals           *peer.Arrivals
	early              map[signal.Target][]webrtc.ICECandidateInit

	published, answered                   chan struct{}
	ready, sendingUp, media, failed, left *latch

	failure            error
	began              time.Time
	joined, firstMedia time.Duration
}

// New does nothing yet.
func New(o Options) *Person {
	return &Person{
		options: o, names: newNames(), identity: o.Ticket.Identity, early: map[signal.Target][]webrtc.ICECandidateInit{},
		published: make(chan struct{}, 2), answered: make(chan struct{}, 1),
		ready: newLatch(), sendingUp: newLatch(), media: newLatch(), failed: newLatch(), left: newLatch(),
	}
}

// Name for people.
func (p *Person) Name() string { return p.identity }

// Join returns when the primary connection is up and what the person publishes is being sent.
func (p *Person) Join(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	p.began = time.Now()
	socket, err := signal.Dial(ctx, p.options.Ticket.URL, p.options.Ticket.Token, p.options.Listens)
	if err != nil {
		return err
	}
	p.socket = socket
	go p.read()
	if err := p.await(ctx, p.ready.done, "a connection"); err != nil {
		return err
	}
	p.joined = time.Since(p.began)
	return p.publish(ctx)
}

// Joined says how long joining took, and how long it was until the first media came, 0 if none has.
func (p *Person) Joined() (joined, firstMedia time.Duration) {
	if p.media.isSet() {
		return p.joined, p.firstMedia
	}
	return p.joined, 0
}

// Lost says why the person is no longer there; nil while they are.
func (p *Person) Lost() error {
	if p.failed.isSet() {
		return p.failure
	}
	return nil
}

// Leave says goodbye and closes everything; it may be called more than once.
func (p *Person) Leave() {
	if !p.left.set(nothing) {
		return
	}
	if p.socket != nil {
		p.note("goodbye", p.socket.Send(signal.Leave()))
	}
	for _, connection := range []*webrtc.PeerConnection{p.sending, p.receiving} {
		if connection != nil {
			p.note("closing", connection.Close())
		}
	}
	if p.socket != nil {
		p.note("closing", p.socket.Close())
	}
}

func (p *Person) await(ctx context.Context, what <-chan struct{}, named string) error {
	select {
	case <-what:
		return nil
	case <-p.failed.done:
		return p.failure
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.Canceled) {
			return ctx.Err()
		}
		return fmt.Errorf("no %s within %s", named, joinTimeout)
	}
}

// fail remembers the first reason. Who has left cannot fail any more.
func (p *Person) fail(err error) {
	if p.left.isSet() {
		return
	}
	p.failed.set(func() {
		p.failure = err
		p.options.Log("%s: %v", p.Name(), err)
	})
}

// note says what did not work although nothing depends on it.
func (p *Person) note(what string, err error) {
	if err != nil && !errors.Is(err, net.ErrClosed) {
		p.options.Log("%s: %s: %v", p.Name(), what, err)
	}
}
