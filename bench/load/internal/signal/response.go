package signal

import "time"

// Response is what the server says; one of its parts is set, or none when the message is none that a load needs.
type Response struct {
	Join         *Join
	Answer       *Description
	Offer        *Description
	Trickle      *Candidate
	Participants []Participant
	// Published is the client's name of a track that the server has taken.
	Published string
	Leave     *Parting
}

// Join is the first answer.
type Join struct {
	Own               Participant
	Others            []Participant
	SubscriberPrimary bool
	PingEvery         time.Duration
}

// Participant is known by its session's id in the names of streams, and by its identity to people.
type Participant struct {
	SID, Identity string
}

// Parting is the server's goodbye; Reason is a DisconnectReason.
type Parting struct {
	Reason uint64
}

// Decode reads a SignalResponse.
func Decode(bytes []byte) (Response, error) {
	var r Response
	err := eachField(bytes, func(f field) (err error) {
		switch f.number {
		case 1:
			r.Join, err = decodeJoin(f.bytes)
		case 2:
			r.Answer, err = decodeDescription(f.bytes)
		case 3:
			r.Offer, err = decodeDescription(f.bytes)
		case 4:
			r.Trickle, err = decodeCandidate(f.bytes)
		case 5:
			r.Participants, err = decodeUpdate(f.bytes)
		case 6:
			r.Published, err = decodePublished(f.bytes)
		case 8:
			r.Leave, err = decodeParting(f.bytes)
		}
		return err
	})
	return r, err
}

func decodeJoin(bytes []byte) (*Join, error) {
	join := &Join{}
	return join, eachField(bytes, func(f field) (err error) {
		switch f.number {
		case 2:
			join.Own, err = decodeParticipant(f.bytes)
		case 3:
			var other Participant
			other, err = decodeParticipant(f.bytes)
			join.Others = append(join.Others, other)
		case 6:
			join.SubscriberPrimary = f.value != 0
		case 11:
			join.PingEvery = time.Duration(f.value) * time.Second
		}
		return err
	})
}

func decodeParticipant(bytes []byte) (Participant, error) {
	var p Participant
	err := eachField(bytes, func(f field) error {
		switch f.number {
		case 1:
			p.SID = string(f.bytes)
		case 2:
			p.Identity = string(f.bytes)
		}
		return nil
	})
	return p, err
}

func decodeUpdate(bytes []byte) ([]Participant, error) {
	var all []Participant
	err := eachField(bytes, func(f field) error {
		if f.number != 1 {
			return nil
		}
		p, err := decodeParticipant(f.bytes)
		all = append(all, p)
		return err
	})
	return all, err
}

func decodePublished(bytes []byte) (cid string, err error) {
	err = eachField(bytes, func(f field) error {
		if f.number == 1 {
			cid = string(f.bytes)
		}
		return nil
	})
	return cid, err
}

func decodeDescription(bytes []byte) (*Description, error) {
	d := &Description{}
	return d, eachField(bytes, func(f field) error {
		switch f.number {
		case 2:
			d.SDP = string(f.bytes)
		case 3:
			d.ID = f.value
		}
		return nil
	})
}

func decodeCandidate(bytes []byte) (*Candidate, error) {
	c := &Candidate{}
	return c, eachField(bytes, func(f field) error {
		switch f.number {
		case 1:
			c.Init = string(f.bytes)
		case 2:
			c.Target = Target(f.value)
		}
		return nil
	})
}

func decodeParting(bytes []byte) (*Parting, error) {
	p := &Parting{}
	return p, eachField(bytes, func(f field) error {
		if f.number == 2 {
			p.Reason = f.value
		}
		return nil
	})
}
