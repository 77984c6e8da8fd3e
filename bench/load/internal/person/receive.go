package person

import (
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

const largestPacket = 1600

// receive drains a track until it ends.
func (p *Person) receive(remote *webrtc.TrackRemote) {
	stream, ssrc := remote.StreamID(), uint32(remote.SSRC())
	track := p.listener.Track(func() string { return p.names.of(stream) })
	buffer := make([]byte, largestPacket)
	var header rtp.Header
	for {
		n, _, err := remote.Read(buffer)
		if err != nil {
			return
		}
		payload, ok := payloadOf(&header, buffer[:n])
		if !ok {
			continue
		}
		p.media.set(func() { p.firstMedia = time.Since(p.began) })
		track.Packet(payload, p.arrivals.Of(ssrc, header.SequenceNumber))
	}
}

// payloadOf a packet, without padding; false when there is nothing else in it.
func payloadOf(header *rtp.Header, packet []byte) ([]byte, bool) {
	*header = rtp.Header{}
	begin, err := header.Unmarshal(packet)
	if err != nil {
		return nil, false
	}
	end := len(packet)
	if header.Padding {
		end -= int(packet[end-1])
	}
	if end <= begin {
		return nil, false
	}
	return packet[begin:end], true
}
