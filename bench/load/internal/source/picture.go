package source

import (
	"encoding/binary"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"viaduc/bench/load/internal/stamp"
)

const (
	clockRate = 90_000
	// keyFrames are as large as so many others.
	keyFrames = 4
	// descriptorSize in bytes, in front of every packet (RFC 7741 section 4.2): X, I, L and T, with a picture id of 15 bits.
	descriptorSize = 6
	frameTagSize   = 10
	leastPacket    = descriptorSize + frameTagSize + stamp.Size
)

// Picture is what a camera sends.
type Picture struct {
	Width, Height   uint16
	BitsPerSecond   int
	FramesPerSecond int
	// PacketBytes of a full packet's payload.
	PacketBytes int
	// WantsKey is set when somebody has asked for a key frame.
	WantsKey *atomic.Bool
}

// Picture sends frames; each is whole packets of the full size, so that the rate is exact and the packets are equal.
func (s *Stream) Picture(p Picture) {
	cut := cutter{bytesPerFrame: p.BitsPerSecond / 8 / p.FramesPerSecond, full: max(p.PacketBytes, leastPacket)}
	payload := noise(cut.full)
	pictureID, zeroIndex := uint16(rand.N(uint32(1<<15))), uint8(rand.N(uint32(1<<8)))
	p.WantsKey.Store(true)
	pace(time.Second/time.Duration(p.FramesPerSecond), s.lateness, s.quit, func() {
		key := p.WantsKey.Swap(false)
		packets, size := cut.next(key)
		for i := range packets {
			packet := payload[:size]
			describe(packet, i == 0, pictureID, zeroIndex)
			if i == 0 {
				tag(packet[descriptorSize:], key, p.Width, p.Height)
			}
			s.send(packet, i == packets-1)
		}
		pictureID = (pictureID + 1) & 0x7fff
		zeroIndex++
		s.header.Timestamp += clockRate / uint32(p.FramesPerSecond)
	})
}

// cutter cuts frames into packets; what makes no whole packet is kept for the next frame.
type cutter struct {
	bytesPerFrame, full, kept int
}

func (c *cutter) next(key bool) (packets, size int) {
	bytes := c.bytesPerFrame
	if key {
		bytes *= keyFrames
	}
	bytes += c.kept
	if packets = bytes / c.full; packets == 0 {
		c.kept = 0
		return 1, max(bytes, leastPacket)
	}
	c.kept = bytes - packets*c.full
	return packets, c.full
}

// describe writes the VP8 payload descriptor (RFC 7741 section 4.2).
func describe(packet []byte, begins bool, pictureID uint16, zeroIndex uint8) {
	const extended, startsPartition, hasIDs = 0x80, 0x10, 0xe0
	packet[0], packet[1] = extended, hasIDs
	if begins {
		packet[0] |= startsPartition
	}
	binary.BigEndian.PutUint16(packet[2:], 0x8000|pictureID)
	packet[4], packet[5] = zeroIndex, 0
}

// tag writes the uncompressed start of a frame (RFC 6386 section 9.1).
func tag(frame []byte, key bool, width, height uint16) {
	const shown, firstPartition, notKey = 1 << 4, 64 << 5, 1
	bits := uint32(shown | firstPartition)
	if !key {
		bits |= notKey
	}
	frame[0], frame[1], frame[2] = byte(bits), byte(bits>>8), byte(bits>>16)
	if key {
		copy(frame[3:], []byte{0x9d, 0x01, 0x2a})
		binary.LittleEndian.PutUint16(frame[6:], width)
		binary.LittleEndian.PutUint16(frame[8:], height)
	}
}
