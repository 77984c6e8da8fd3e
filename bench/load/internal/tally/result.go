package tally

import "math"

// Result of a window, over all listeners.
type Result struct {
	Seconds    float64 `json:"seconds"`
	Listeners  int     `json:"listeners"`
	Tracks     int     `json:"tracks"`
	Sent       int     `json:"sent"`
	Expected   int     `json:"expected"`
	Received   int     `json:"received"`
	Lost       int     `json:"lost"`
	Duplicated int     `json:"duplicated"`
	// Silent tracks brought nothing although something was sent.
	Silent   int     `json:"silent"`
	Delivery float64 `json:"delivery"`
	// Worst is the listener with the smallest share.
	Worst            Share     `json:"worst"`
	PacketsPerSecond float64   `json:"packetsPerSecond"`
	MegabitPerSecond float64   `json:"megabitPerSecond"`
	DelayMs          Quantiles `json:"delayMs"`
	Audit            Audit     `json:"audit"`
}

// Share of what somebody should have received that came.
type Share struct {
	Identity string  `json:"identity"`
	Delivery float64 `json:"delivery"`
}

// Result of the window that was shut last. The audit is of the whole time.
func (b *Book) Result() Result {
	window := b.window.Load()
	shut := window.shut.Load()
	seconds := shut.at.Sub(window.began).Seconds()
	r := Result{Seconds: round(seconds, 2), Worst: Share{Delivery: 1}, DelayMs: window.delays.Quantiles()}
	for sender, until := range shut.until {
		r.Sent += int(until - window.from[sender])
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, l := range b.listeners {
		b.addListener(&r, l, window)
	}
	r.Lost = r.Expected - r.Received
	r.Delivery = share(r.Received, r.Expected)
	r.PacketsPerSecond = round(float64(r.Received)/seconds, 1)
	r.MegabitPerSecond = round(float64(window.bytes.Load())*8/1e6/seconds, 2)
	return r
}

func (b *Book) addListener(r *Result, l *Listener, window *Window) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.Listeners++
	r.Audit.add(l.audit)
	expected, received := 0, 0
	for _, source := range l.due() {
		came := l.cameOf(source, window)
		due, got := came.count(source, window)
		r.Tracks++
		if got == 0 && source.sentIn(window) > 0 {
			r.Silent++
		}
		expected += due
		received += got
		r.Duplicated += came.duplicates()
	}
	r.Expected += expected
	r.Received += received
	if delivery := share(received, expected); delivery < r.Worst.Delivery {
		r.Worst = Share{Identity: l.identity, Delivery: delivery}
	}
}

// due are the tracks that a listener should receive, and those of another load that came.
func (l *Listener) due() []*Source {
	var due []*Source
	for _, source := range l.book.sources {
		if source.room == l.room && source.identity != l.identity {
			due = append(due, source)
		}
	}
	for source := range l.arrivals {
		if source.identity == "" && source.room == l.room {
			due = append(due, source)
		}
	}
	return due
}

func (l *Listener) cameOf(source *Source, window *Window) *arrivals {
	if l.window == window && l.arrivals[source] != nil {
		return l.arrivals[source]
	}
	return &arrivals{}
}

// count of a single stream: every packet of the window was due. Of layers, only those of the layer that came at the time were.
func (a *arrivals) count(source *Source, window *Window) (due, got int) {
	if len(source.Senders) == 1 && source.identity != "" {
		sender := source.Senders[0]
		if entries := a.ledgers[sender.id]; entries != nil {
			got = entries.distinct(window.from[sender.id], window.end(sender.id))
		}
		return source.sentIn(window), got
	}
	for id, entries := range a.ledgers {
		expected, received := entries.watched(window.end(id))
		due += expected
		got += received
	}
	return due, got
}

func (a *arrivals) duplicates() int {
	total := 0
	for _, entries := range a.ledgers {
		total += entries.duplicates
	}
	return total
}

func (s *Source) sentIn(window *Window) int {
	total := 0
	for _, sender := range s.Senders {
		if end := window.end(sender.id); end != endless {
			total += int(end - window.from[sender.id])
		}
	}
	return total
}

// share rounds down: what is not whole must not read as 1.
func share(part, whole int) float64 {
	if whole == 0 {
		return 1
	}
	return math.Floor(float64(part)/float64(whole)*1e6) / 1e6
}

func round(x float64, digits int) float64 {
	scale := math.Pow10(digits)
	return math.Round(x*scale) / scale
}
