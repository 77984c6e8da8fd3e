package tally

import (
	"hash/fnv"
	"math/rand/v2"
	"sync/atomic"

	"viaduc/bench/load/internal/stamp"
)

// Source is a track that somebody publishes.
type Source struct {
	room     uint32
	identity string
	// Senders of its layers, the smallest picture first; of a sound or a single picture, one.
	Senders []*Sender
}

// Sender is one stream of packets towards the server.
type Sender struct {
	id     uint32
	source *Source
	sent   atomic.Uint32
}

// Stamp of the next packet, which counts as sent with it.
func (s *Sender) Stamp(nowNs int64) stamp.Stamp {
	return stamp.Stamp{Room: s.source.room, Sender: s.id, Counter: s.sent.Add(1) - 1, SentAt: nowNs}
}

// newSource has ids that no other run has either: two loads may share a room.
func newSource(room, identity string, layers int) *Source {
	source := &Source{room: roomNumber(room), identity: identity}
	for range layers {
		source.Senders = append(source.Senders, &Sender{id: rand.Uint32(), source: source})
	}
	return source
}

func roomNumber(room string) uint32 {
	hash := fnv.New32a()
	hash.Write([]byte(room))
	return hash.Sum32()
}
