// Package source owns what is sent: opus-sized sound and VP8-shaped pictures, packet by packet, in time.
package source

import (
	"math/rand/v2"
	"time"

	"github.com/pion/rtp"

	"viaduc/bench/load/internal/tally"
)

// Writer is where packets go: a track of a peer connection.
type Writer interface {
	WriteRTP(*rtp.Packet) error
}

// Extension is a header extension that every packet carries.
type Extension struct {
	ID    uint8
	Value []byte
}

// Stream is one outgoing stream of RTP.
type Stream struct {
	to         Writer
	sender     *tally.Sender
	extensions []Extension
	lateness   *tally.Histogram
	quit       <-chan struct{}
	header     rtp.Header
}

// NewStream sends until quit is closed; lateness counts how far behind its time each packet or picture is sent.
func NewStream(to Writer, sender *tally.Sender, extensions []Extension, lateness *tally.Histogram, quit <-chan struct{}) *Stream {
	// The first sequence number is small enough not to wrap before the receiver knows the stream (RFC 3711 section 3.3.1).
	header := rtp.Header{Version: 2, SequenceNumber: uint16(rand.N(uint32(1 << 15))), Timestamp: rand.Uint32()}
	return &Stream{to: to, sender: sender, extensions: extensions, lateness: lateness, quit: quit, header: header}
}

// send stamps the payload and sends it. A connection that has gone is noticed elsewhere.
func (s *Stream) send(payload []byte, marker bool) {
	header := s.header
	header.Marker = marker
	for _, e := range s.extensions {
		if err := header.SetExtension(e.ID, e.Value); err != nil {
			return
		}
	}
	s.sender.Stamp(time.Now().UnixNano()).Write(payload)
	_ = s.to.WriteRTP(&rtp.Packet{Header: header, Payload: payload})
	s.header.SequenceNumber++
}

// noise does not compress, and looks like no codec's payload.
func noise(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b
}
