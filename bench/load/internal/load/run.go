package load

import (
	"context"
	"fmt"
	"sync"
	"time"

	"viaduc/bench/load/internal/person"
	"viaduc/bench/load/internal/tally"
	"viaduc/bench/load/internal/ticket"
)

const (
	lookEvery = 100 * time.Millisecond
	// late repairs of lost packets still count.
	repairTime = time.Second
)

// Office hands out tickets, in the order of the seats.
type Office func(room, identity string, publishes bool) (ticket.Ticket, error)

// Run of a plan.
type Run struct {
	Plan   Plan
	Office Office
	// Phase is told what begins: "joining", "settling", "warming", "measuring", "measured".
	Phase func(name string)
	Log   func(format string, values ...any)

	book     *tally.Book
	lateness *tally.Histogram
	people   []*person.Person
	refusals refusals
}

// Do returns what was counted; ctx ends it early, with an error. Everybody has left when it returns.
func (r *Run) Do(ctx context.Context) (Result, error) {
	r.book, r.lateness = tally.NewBook(), &tally.Histogram{}
	defer r.leave()
	r.Phase("joining")
	if err := r.join(ctx); err != nil {
		return Result{}, err
	}
	r.Phase("settling")
	r.book.Open(time.Now())
	missing, err := r.settle(ctx)
	if err != nil {
		return Result{}, err
	}
	r.Phase("warming")
	if err := pause(ctx, r.Plan.Warmup); err != nil {
		return Result{}, err
	}
	// How late packets are sent counts from here on.
	r.lateness.Reset()
	usage := startUsage()
	r.book.Open(time.Now())
	r.Phase("measuring")
	if err := pause(ctx, r.Plan.Duration); err != nil {
		return Result{}, err
	}
	r.book.Shut(time.Now())
	r.Phase("measured")
	used := usage.end()
	late := r.lateness.Quantiles()
	if err := pause(ctx, repairTime); err != nil {
		return Result{}, err
	}
	result := r.result(missing)
	result.Generator = Generator{CPURatio: used, LateMs: late}
	return result, nil
}

// join lets people in, so many a second, and waits for the last one. Who is refused is counted, not waited for.
func (r *Run) join(ctx context.Context) error {
	gap := time.Duration(float64(time.Second) / r.Plan.PerSecond)
	next := time.Now()
	var joining sync.WaitGroup
	var mu sync.Mutex
	for _, seat := range r.Plan.seats() {
		given, err := r.Office(seat.room, seat.identity, seat.publish.SoundBytes > 0)
		if err != nil {
			return err
		}
		p := person.New(person.Options{Ticket: given, Book: r.book, Profile: r.Plan.Profile, Listens: seat.listens, Publish: seat.publish, Lateness: r.lateness, Log: r.Log})
		joining.Add(1)
		go func() {
			defer joining.Done()
			err := p.Join(ctx)
			if err != nil {
				p.Leave()
				r.refusals.add(fmt.Errorf("%s: %w", given.Identity, err))
				return
			}
			mu.Lock()
			defer mu.Unlock()
			r.people = append(r.people, p)
		}()
		next = next.Add(gap)
		if err := pause(ctx, time.Until(next)); err != nil {
			joining.Wait()
			return err
		}
	}
	joining.Wait()
	if len(r.people) == 0 {
		return fmt.Errorf("nobody could join: %w", r.refusals.first)
	}
	return ctx.Err()
}

// settle waits until everybody receives every track. It returns how many tracks are missing when it waits no longer.
func (r *Run) settle(ctx context.Context) (int, error) {
	deadline := time.Now().Add(r.Plan.Settle)
	for {
		if err := pause(ctx, lookEvery); err != nil {
			return 0, err
		}
		missing := r.book.Missing()
		if missing == 0 || time.Now().After(deadline) {
			return missing, nil
		}
	}
}

func (r *Run) leave() {
	var leaving sync.WaitGroup
	for _, p := range r.people {
		leaving.Add(1)
		go func() {
			defer leaving.Done()
			p.Leave()
		}()
	}
	leaving.Wait()
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// refusals counts who could not join, and remembers the first reason.
type refusals struct {
	mu    sync.Mutex
	count int
	first error
}

func (r *refusals) add(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count++
	if r.first == nil {
		r.first = err
	}
}
