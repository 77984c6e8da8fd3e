package tally

import "math/bits"

// ledger remembers which packets of one sender have come since a window began.
type ledger struct {
	from       uint32
	words      []uint64
	duplicates int
	segments   []segment
}

// segment is a stretch of a sender's packets without a switch to another layer in between; both ends have come.
type segment struct{ first, last uint32 }

// note takes a packet in. begins: the packets before it came from another layer.
func (l *ledger) note(counter uint32, begins bool) {
	if counter < l.from {
		return
	}
	at := counter - l.from
	word, bit := int(at/64), uint64(1)<<(at%64)
	for word >= len(l.words) {
		l.words = append(l.words, 0)
	}
	if l.words[word]&bit != 0 {
		l.duplicates++
		return
	}
	l.words[word] |= bit
	last := len(l.segments) - 1
	switch {
	case last < 0 || begins && counter > l.segments[last].last:
		l.segments = append(l.segments, segment{counter, counter})
	case counter > l.segments[last].last:
		l.segments[last].last = counter
	case last == 0 && counter < l.segments[0].first:
		l.segments[0].first = counter
	}
}

// distinct packets that have come, of those from one counter up to before another.
func (l *ledger) distinct(from, until uint32) int {
	total := 0
	for counter := max(from, l.from); counter < until; {
		at := counter - l.from
		if int(at/64) >= len(l.words) {
			break
		}
		word := l.words[at/64] >> (at % 64)
		room := min(64-at%64, until-counter)
		if room < 64 {
			word &= 1<<room - 1
		}
		total += bits.OnesCount64(word)
		counter += room
	}
	return total
}

// watched is how many packets the sender sent while its layer was the one that came, and how many of them came.
func (l *ledger) watched(until uint32) (expected, received int) {
	for _, s := range l.segments {
		end := min(s.last+1, until)
		if s.first >= end {
			continue
		}
		expected += int(end - s.first)
		received += l.distinct(s.first, end)
	}
	return expected, received
}
