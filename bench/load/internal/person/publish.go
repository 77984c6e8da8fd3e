package person

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"

	"github.com/pion/rtcp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"viaduc/bench/load/internal/peer"
	"viaduc/bench/load/internal/signal"
	"viaduc/bench/load/internal/source"
)

// voice at -30 dBov (RFC 6464).
const voice = 0x80 | 30

// Publication is what one person sends.
type Publication struct {
	// SoundBytes of each of 50 packets a second; 0: no sound.
	SoundBytes int
	// Layers of the picture, the smallest first; none: no picture.
	Layers []Layer
}

// Layer is one size of the picture; RID is empty when it is the only one.
type Layer struct {
	RID     string
	Quality uint64
	Picture source.Picture
}

// outgoing is a stream that waits for its connection.
type outgoing struct {
	track    *webrtc.TrackLocalStaticRTP
	rtp      *webrtc.RTPSender
	wantsKey *atomic.Bool
	start    func(*source.Stream)
	stream   func([]source.Extension) *source.Stream
}

func (p *Person) publish(ctx context.Context) error {
	wanted := p.options.Publish
	if wanted.SoundBytes == 0 && len(wanted.Layers) == 0 {
		return nil
	}
	var all []outgoing
	if wanted.SoundBytes > 0 {
		added, err := p.addSound(ctx, wanted.SoundBytes)
		if err != nil {
			return err
		}
		all = append(all, added)
	}
	if len(wanted.Layers) > 0 {
		added, err := p.addPicture(ctx, wanted.Layers)
		if err != nil {
			return err
		}
		all = append(all, added...)
	}
	if err := p.offer(ctx); err != nil {
		return err
	}
	for _, each := range all {
		go each.obey()
		go each.start(each.stream(p.extensionsOf(each)))
	}
	return nil
}

func (p *Person) addSound(ctx context.Context, bytes int) (outgoing, error) {
	cid := fmt.Sprintf("mic%08x", rand.Uint32())
	track, err := webrtc.NewTrackLocalStaticRTP(peer.Opus, cid, "microphone")
	if err != nil {
		return outgoing{}, err
	}
	transceiver, err := p.sending.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		return outgoing{}, err
	}
	sender := p.options.Book.Publish(p.options.Ticket.Room, p.Name(), 1).Senders[0]
	stream := func(extensions []source.Extension) *source.Stream {
		return source.NewStream(track, sender, extensions, p.options.Lateness, p.left.done)
	}
	added := outgoing{track: track, rtp: transceiver.Sender(), wantsKey: &atomic.Bool{}, stream: stream, start: func(s *source.Stream) { s.Sound(bytes) }}
	return added, p.announce(ctx, signal.Track{CID: cid, Name: "microphone"})
}

func (p *Person) addPicture(ctx context.Context, layers []Layer) ([]outgoing, error) {
	cid := fmt.Sprintf("cam%08x", rand.Uint32())
	entered := p.options.Book.Publish(p.options.Ticket.Room, p.Name(), len(layers))
	announced := signal.Track{CID: cid, Name: "camera"}
	var all []outgoing
	var rtp *webrtc.RTPSender
	for i, layer := range layers {
		picture := layer.Picture
		picture.WantsKey = &atomic.Bool{}
		track, err := webrtc.NewTrackLocalStaticRTP(peer.VP8, cid, "camera", webrtc.WithRTPStreamID(layer.RID))
		if err != nil {
			return nil, err
		}
		if rtp, err = p.encode(rtp, track); err != nil {
			return nil, err
		}
		sender := entered.Senders[i]
		stream := func(extensions []source.Extension) *source.Stream {
			return source.NewStream(track, sender, extensions, p.options.Lateness, p.left.done)
		}
		all = append(all, outgoing{track: track, rtp: rtp, wantsKey: picture.WantsKey, stream: stream, start: func(s *source.Stream) { s.Picture(picture) }})
		announced.Layers = append(announced.Layers, signal.Layer{Quality: layer.Quality, Width: uint64(picture.Width), Height: uint64(picture.Height), Bitrate: uint64(picture.BitsPerSecond)})
	}
	return all, p.announce(ctx, announced)
}

// encode adds a layer to a picture, or begins one.
func (p *Person) encode(rtp *webrtc.RTPSender, track *webrtc.TrackLocalStaticRTP) (*webrtc.RTPSender, error) {
	if rtp != nil {
		return rtp, rtp.AddEncoding(track)
	}
	transceiver, err := p.sending.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		return nil, err
	}
	return transceiver.Sender(), nil
}

func (p *Person) announce(ctx context.Context, track signal.Track) error {
	if err := p.socket.Send(signal.AddTrack(track)); err != nil {
		return err
	}
	return p.await(ctx, p.published, "leave to publish the "+track.Name)
}

func (p *Person) offer(ctx context.Context) error {
	offer, err := p.sending.CreateOffer(nil)
	if err != nil {
		return err
	}
	if err := p.sending.SetLocalDescription(offer); err != nil {
		return err
	}
	if err := p.socket.Send(signal.Offer(signal.Description{SDP: offer.SDP, ID: 1})); err != nil {
		return err
	}
	if err := p.await(ctx, p.answered, "answer to the offer"); err != nil {
		return err
	}
	return p.await(ctx, p.sendingUp.done, "connection to send on")
}

// extensionsOf a stream, as negotiated: its section, its layer, how loud it is.
func (p *Person) extensionsOf(o outgoing) []source.Extension {
	mid := ""
	for _, transceiver := range p.sending.GetTransceivers() {
		if transceiver.Sender() == o.rtp {
			mid = transceiver.Mid()
		}
	}
	values := map[string][]byte{sdp.SDESMidURI: []byte(mid)}
	if o.track.Kind() == webrtc.RTPCodecTypeAudio {
		values[sdp.AudioLevelURI] = []byte{voice}
	}
	if rid := o.track.RID(); rid != "" {
		values[sdp.SDESRTPStreamIDURI] = []byte(rid)
	}
	var extensions []source.Extension
	for _, negotiated := range o.rtp.GetParameters().HeaderExtensions {
		if value := values[negotiated.URI]; value != nil {
			extensions = append(extensions, source.Extension{ID: uint8(negotiated.ID), Value: value})
		}
	}
	return extensions
}

// obey the server's requests for key frames, until the connection ends. Reading also lets the interceptors see its reports.
func (o outgoing) obey() {
	for {
		packets, err := o.readRTCP()
		if err != nil {
			return
		}
		for _, packet := range packets {
			switch packet.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				o.wantsKey.Store(true)
			}
		}
	}
}

func (o outgoing) readRTCP() ([]rtcp.Packet, error) {
	if rid := o.track.RID(); rid != "" {
		packets, _, err := o.rtp.ReadSimulcastRTCP(rid)
		return packets, err
	}
	packets, _, err := o.rtp.ReadRTCP()
	return packets, err
}
