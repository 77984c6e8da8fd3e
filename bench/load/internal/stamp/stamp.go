// Package stamp owns what every payload of the load says of itself.
//
// It stands at the payload's end, because servers rewrite (and may resize) the VP8 descriptor at its front.
package stamp

import "encoding/binary"

// Size of a stamp in bytes: magic, room, sender, counter (4 each), time (8), all big-endian.
const Size = 24

const magic = 0x56696144

// Stamp tells one packet from every other.
type Stamp struct {
	Room, Sender, Counter uint32
	// SentAt in ns since 1970.
	SentAt int64
}

// Write puts it at the end of a payload, which must be that long.
func (s Stamp) Write(payload []byte) {
	end := payload[len(payload)-Size:]
	binary.BigEndian.PutUint32(end, magic)
	binary.BigEndian.PutUint32(end[4:], s.Room)
	binary.BigEndian.PutUint32(end[8:], s.Sender)
	binary.BigEndian.PutUint32(end[12:], s.Counter)
	binary.BigEndian.PutUint64(end[16:], uint64(s.SentAt))
}

// Read finds it; false for a payload that is not ours (padding, a server's own packets).
func Read(payload []byte) (Stamp, bool) {
	if len(payload) < Size {
		return Stamp{}, false
	}
	end := payload[len(payload)-Size:]
	if binary.BigEndian.Uint32(end) != magic {
		return Stamp{}, false
	}
	return Stamp{
		Room:    binary.BigEndian.Uint32(end[4:]),
		Sender:  binary.BigEndian.Uint32(end[8:]),
		Counter: binary.BigEndian.Uint32(end[12:]),
		SentAt:  int64(binary.BigEndian.Uint64(end[16:])),
	}, true
}
