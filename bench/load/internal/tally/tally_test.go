package tally

import (
	"testing"
	"time"

	"viaduc/bench/load/internal/stamp"
)

var start = time.Unix(1795527720, 0)

// packet as a sender would send it next.
func packet(s *Sender, at time.Duration) []byte {
	payload := make([]byte, 60)
	s.Stamp(start.Add(at).UnixNano()).Write(payload)
	return payload
}

func arrive(t *Track, payload []byte, at time.Duration) { t.Packet(payload, start.Add(at).UnixNano()) }

func nobody() string { return "" }

func TestEveryPacketOfTheWindowIsCountedOnce(t *testing.T) {
	book := NewBook()
	sender := book.Publish("room", "ann", 1).Senders[0]
	bob, cleo := book.Listen("room", "bob").Track(nobody), book.Listen("room", "cleo").Track(nobody)
	early := packet(sender, 0)
	book.Open(start)
	arrive(bob, early, time.Millisecond) // sent before the window: not of it
	var late [][]byte
	for i := range 1000 {
		p := packet(sender, time.Duration(i)*time.Millisecond)
		switch {
		case i >= 990:
			late = append(late, p)
		default:
			arrive(bob, p, time.Duration(i+2)*time.Millisecond)
		}
		if i%100 != 50 {
			arrive(cleo, p, time.Duration(i+4)*time.Millisecond)
		}
	}
	book.Shut(start.Add(time.Second))
	for i, p := range late {
		arrive(bob, p, time.Duration(990+i+2)*time.Millisecond)
		arrive(bob, p, time.Second) // again: a duplicate
	}
	arrive(bob, packet(sender, time.Second), time.Second) // sent after the window: not of it
	r := book.Result()
	if r.Sent != 1000 || r.Expected != 2000 || r.Received != 1990 || r.Lost != 10 || r.Duplicated != 10 || r.Tracks != 2 || r.Silent != 0 {
		t.Errorf("%+v", r)
	}
	if r.Worst != (Share{"cleo", 0.99}) || r.Delivery != 0.995 || r.Seconds != 1 || r.Audit != (Audit{}) {
		t.Errorf("%+v", r)
	}
}

func TestWhoHearsNothingIsMissed(t *testing.T) {
	book := NewBook()
	sender := book.Publish("room", "ann", 1).Senders[0]
	book.Publish("elsewhere", "dora", 1)
	book.Listen("room", "ann")
	book.Listen("room", "bob")
	book.Open(start)
	packet(sender, 0)
	if missing := book.Missing(); missing != 1 {
		t.Errorf("%d tracks are missing", missing)
	}
	book.Shut(start.Add(time.Second))
	r := book.Result()
	if r.Silent != 1 || r.Tracks != 1 || r.Expected != 1 || r.Worst != (Share{"bob", 0}) {
		t.Errorf("%+v", r)
	}
}

func TestOfLayersOnlyTheOneThatCameWasDue(t *testing.T) {
	book := NewBook()
	layers := book.Publish("room", "ann", 2).Senders
	bob := book.Listen("room", "bob").Track(nobody)
	book.Open(start)
	for i := range 100 {
		low, high := packet(layers[0], 0), packet(layers[1], 0)
		switch {
		case i < 40 || i >= 80:
			arrive(bob, low, 0)
		case i != 60:
			arrive(bob, high, 0)
		}
	}
	book.Shut(start.Add(time.Second))
	if r := book.Result(); r.Expected != 100 || r.Received != 99 || r.Silent != 0 || r.Audit != (Audit{}) {
		t.Errorf("%+v", r)
	}
}

func TestPacketsOfAnotherLoadInTheRoomAreCountedAsTheyCome(t *testing.T) {
	theirs := NewBook().Publish("room", "zoe", 1).Senders[0]
	book := NewBook()
	bob := book.Listen("room", "bob").Track(nobody)
	for range 500 {
		packet(theirs, 0)
	}
	book.Open(start)
	for i := range 100 {
		if p := packet(theirs, 0); i != 50 {
			arrive(bob, p, 0)
		}
	}
	book.Shut(start.Add(time.Second))
	if r := book.Result(); r.Expected != 100 || r.Received != 99 || r.Audit != (Audit{}) {
		t.Errorf("%+v", r)
	}
}

func TestTheAuditSeesWhatShouldNotBeThere(t *testing.T) {
	book := NewBook()
	ann, ben := book.Publish("room", "ann", 1).Senders[0], book.Publish("room", "ben", 1).Senders[0]
	dora := book.Publish("elsewhere", "dora", 1).Senders[0]
	listener := book.Listen("room", "bob")
	arrive(listener.Track(nobody), packet(dora, 0), 0)
	arrive(listener.Track(func() string { return "ann" }), packet(ann, 0), 0)
	arrive(listener.Track(func() string { return "ann" }), packet(ben, 0), 0)
	both := listener.Track(nobody)
	arrive(both, packet(ann, 0), 0)
	arrive(both, packet(ben, 0), 0)
	arrive(both, make([]byte, stamp.Size), 0)
	book.Open(start)
	book.Shut(start.Add(time.Second))
	if audit := book.Result().Audit; audit != (Audit{Foreign: 1, Misattributed: 1, Mixed: 1, Unstamped: 1}) {
		t.Errorf("%+v", audit)
	}
}

func TestQuantilesAreWithinTwoPercent(t *testing.T) {
	var h Histogram
	for us := range 100_000 {
		h.Add(time.Duration(us) * time.Microsecond)
	}
	h.Add(-time.Second)
	q := h.Quantiles()
	for name, pair := range map[string][2]float64{"p50": {q.P50, 50}, "p95": {q.P95, 95}, "p99": {q.P99, 99}} {
		if off := pair[0]/pair[1] - 1; off < -0.02 || off > 0.02 {
			t.Errorf("%s is %v, not about %v", name, pair[0], pair[1])
		}
	}
	if q.Max != 99.999 || q.Count != 100_001 {
		t.Errorf("%+v", q)
	}
	var long Histogram
	long.Add(30 * time.Minute)
	if q := long.Quantiles(); q.P50 < 1_770_000 || q.P50 > 1_830_000 {
		t.Errorf("half an hour is %v ms", q.P50)
	}
	if (&Histogram{}).Quantiles() != (Quantiles{}) {
		t.Error("nothing is something")
	}
}
