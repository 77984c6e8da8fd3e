package person

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pion/webrtc/v4"

	"viaduc/bench/load/internal/peer"
	"viaduc/bench/load/internal/signal"
)

// read serves what the server says, one message after the other, until the socket ends.
func (p *Person) read() {
	for {
		response, err := p.socket.Receive()
		if err == nil {
			err = p.serve(response)
		}
		if err != nil {
			p.fail(fmt.Errorf("signalling: %w", err))
			return
		}
	}
}

func (p *Person) serve(r signal.Response) error {
	switch {
	case r.Join != nil:
		return p.enter(r.Join)
	case r.Leave != nil:
		return fmt.Errorf("the server ended the session (reason %d)", r.Leave.Reason)
	case p.receiving == nil:
		return nil
	case r.Offer != nil:
		return p.answer(r.Offer)
	case r.Answer != nil:
		if err := p.sending.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: r.Answer.SDP}); err != nil {
			return fmt.Errorf("the answer: %w", err)
		}
		p.addEarly(signal.Publisher, p.sending)
		tell(p.answered)
	case r.Trickle != nil:
		return p.addCandidate(r.Trickle)
	case r.Published != "":
		tell(p.published)
	default:
		p.names.learn(r.Participants...)
	}
	return nil
}

func (p *Person) enter(join *signal.Join) error {
	p.names.learn(join.Own)
	p.names.learn(join.Others...)
	p.identity = join.Own.Identity
	if p.options.Listens {
		p.listener = p.options.Book.Listen(p.options.Ticket.Room, p.identity)
	}
	options := peer.Options{Profile: p.options.Profile, Loopback: signal.OnThisMachine(p.options.Ticket.URL)}
	var err error
	if p.sending, err = peer.Sending(options); err != nil {
		return err
	}
	if p.receiving, p.arrivals, err = peer.Receiving(options); err != nil {
		return err
	}
	p.trickle(p.sending, signal.Publisher)
	p.trickle(p.receiving, signal.Subscriber)
	if p.options.Listens {
		p.receiving.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { p.receive(track) })
	}
	p.sending.OnConnectionStateChange(func(s webrtc.PeerConnectionState) { p.changed("sending", s, p.sendingUp) })
	p.receiving.OnConnectionStateChange(func(s webrtc.PeerConnectionState) { p.changed("receiving", s, p.ready) })
	if !join.SubscriberPrimary {
		p.ready.set(nothing)
	}
	if join.PingEvery > 0 {
		go p.ping(join.PingEvery)
	}
	return nil
}

// changed follows a connection; up is set when it is connected for the first time.
func (p *Person) changed(which string, state webrtc.PeerConnectionState, up *latch) {
	switch state {
	case webrtc.PeerConnectionStateConnected:
		up.set(nothing)
	case webrtc.PeerConnectionStateFailed:
		p.fail(fmt.Errorf("the %s connection failed", which))
	}
}

func (p *Person) ping(every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-p.left.done:
			return
		case <-p.failed.done:
			return
		case <-ticker.C:
			p.note("ping", p.socket.Send(signal.Ping(time.Now().UnixMilli())))
		}
	}
}

func (p *Person) trickle(from *webrtc.PeerConnection, target signal.Target) {
	from.OnICECandidate(func(candidate *webrtc.ICECandidate) {
		if candidate == nil {
			return
		}
		init, err := json.Marshal(candidate.ToJSON())
		p.note("candidate", errors.Join(err, p.socket.Send(signal.Trickle(signal.Candidate{Init: string(init), Target: target}))))
	})
}

// addCandidate keeps those that come before the description they belong to.
func (p *Person) addCandidate(c *signal.Candidate) error {
	var init webrtc.ICECandidateInit
	if err := json.Unmarshal([]byte(c.Init), &init); err != nil {
		return fmt.Errorf("a candidate is not JSON: %w", err)
	}
	if init.Candidate == "" {
		return nil
	}
	connection := p.receiving
	if c.Target == signal.Publisher {
		connection = p.sending
	}
	if connection.RemoteDescription() == nil {
		p.early[c.Target] = append(p.early[c.Target], init)
		return nil
	}
	return connection.AddICECandidate(init)
}

func (p *Person) addEarly(target signal.Target, connection *webrtc.PeerConnection) {
	for _, init := range p.early[target] {
		p.note("candidate", connection.AddICECandidate(init))
	}
	delete(p.early, target)
}

func (p *Person) answer(offer *signal.Description) error {
	if err := p.receiving.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer.SDP}); err != nil {
		return fmt.Errorf("the offer: %w", err)
	}
	p.addEarly(signal.Subscriber, p.receiving)
	answer, err := p.receiving.CreateAnswer(nil)
	if err != nil {
		return fmt.Errorf("the offer cannot be answered: %w", err)
	}
	if err := p.receiving.SetLocalDescription(answer); err != nil {
		return fmt.Errorf("the offer cannot be answered: %w", err)
	}
	return p.socket.Send(signal.Answer(signal.Description{SDP: answer.SDP, ID: offer.ID}))
}

// tell without waiting for somebody to listen.
func tell(channel chan struct{}) {
	select {
	case channel <- struct{}{}:
	default:
	}
}
