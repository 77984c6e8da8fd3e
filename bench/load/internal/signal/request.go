package signal

// Target says which of a client's two connections is meant (SignalTarget).
type Target uint64

const (
	Publisher  Target = 0
	Subscriber Target = 1
)

// Description is a session description; ID tells an answer's offer.
type Description struct {
	SDP string
	ID  uint64
}

// Candidate is an ICE candidate, as JSON of RTCIceCandidateInit.
type Candidate struct {
	Init   string
	Target Target
}

// Layer is one encoding of a video track; Quality is 0 (low), 1 or 2 (high), Bitrate in bit/s.
type Layer struct {
	Quality, Width, Height, Bitrate uint64
}

// Track is announced before it is negotiated; CID is the client's name for it. Without layers it is audio.
type Track struct {
	CID    string
	Name   string
	Layers []Layer
}

// Offer is the publisher's.
func Offer(d Description) []byte { return message{}.part(1, describe("offer", d)) }

// Answer is the subscriber's.
func Answer(d Description) []byte { return message{}.part(2, describe("answer", d)) }

// Trickle tells a candidate of ours.
func Trickle(c Candidate) []byte {
	return message{}.part(3, message{}.text(1, c.Init).number(2, uint64(c.Target)))
}

// Leave ends the session: the client wants it so.
func Leave() []byte { return message{}.part(8, message{}.number(2, 1)) }

// Ping keeps the session alive; the time in ms since 1970.
func Ping(nowMs int64) []byte { return message{}.part(16, message{}.number(1, uint64(nowMs))) }

// AddTrack announces a camera, or a microphone without redundant encoding.
func AddTrack(t Track) []byte {
	const video, camera, microphone = 1, 1, 2
	m := message{}.text(1, t.CID).text(2, t.Name)
	if len(t.Layers) == 0 {
		return message{}.part(4, m.number(8, microphone).flag(13, true))
	}
	largest := t.Layers[len(t.Layers)-1]
	m = m.number(3, video).number(4, largest.Width).number(5, largest.Height).number(8, camera)
	codec := message{}.text(1, "vp8").text(2, t.CID)
	for _, layer := range t.Layers {
		described := message{}.number(1, layer.Quality).number(2, layer.Width).number(3, layer.Height).number(4, layer.Bitrate)
		m = m.part(9, described)
		codec = codec.part(4, described)
	}
	return message{}.part(4, m.part(10, codec))
}

func describe(kind string, d Description) message {
	return message{}.text(1, kind).text(2, d.SDP).number(3, d.ID)
}
