package source

import (
	"time"

	"viaduc/bench/load/internal/stamp"
)

const (
	frameTime = 20 * time.Millisecond
	// samples of a frame, at 48 kHz.
	samples = 960
	// toc starts an opus packet (RFC 6716 section 3.1): hybrid, 20 ms, mono, one frame.
	toc = 0x78
)

// Sound sends 50 packets a second, of that many bytes.
func (s *Stream) Sound(bytes int) {
	payload := noise(max(bytes, stamp.Size+1))
	payload[0] = toc
	first := true
	pace(frameTime, s.lateness, s.quit, func() {
		s.send(payload, first)
		s.header.Timestamp += samples
		first = false
	})
}
