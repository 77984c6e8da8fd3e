// Package load owns a run: who takes part, the measured window, and what is said of it in the end.
package load

import (
	"fmt"
	"os"
	"time"

	"viaduc/bench/load/internal/person"
	"viaduc/bench/load/internal/source"
)

// Plan of a load. In each room are Speakers, of whom the first Cameras show their picture, and Listeners.
type Plan struct {
	Rooms, Speakers, Cameras, Listeners int
	// SpeakersListen to each other, too.
	SpeakersListen bool
	// Simulcast: pictures come in three sizes.
	Simulcast bool
	// SoundBytes of each of 50 packets a second.
	SoundBytes int
	// Picture in its full size.
	Picture source.Picture
	// Profile of SRTP by its name.
	Profile string
	// PerSecond is how many people join.
	PerSecond float64
	// Settle is how long to wait until everybody receives everything; Warmup and Duration begin then.
	Settle, Warmup, Duration time.Duration
}

// seat is one person's place in a load.
type seat struct {
	room, identity string
	publish        person.Publication
	listens        bool
}

// seats of everybody, room by room, speakers first: the order of ready-made tickets.
func (p Plan) seats() []seat {
	var seats []seat
	for room := range p.Rooms {
		name := fmt.Sprintf("load-%d-%d", os.Getpid(), room)
		for i := range p.Speakers {
			publish := person.Publication{SoundBytes: p.SoundBytes}
			if i < p.Cameras {
				publish.Layers = p.layers()
			}
			seats = append(seats, seat{name, fmt.Sprintf("speaker-%d", i), publish, p.SpeakersListen})
		}
		for i := range p.Listeners {
			seats = append(seats, seat{name, fmt.Sprintf("listener-%d", i), person.Publication{}, true})
		}
	}
	return seats
}

// layers of a picture: a quarter of its width with a tenth of the bits, half of it with three tenths, and all.
func (p Plan) layers() []person.Layer {
	if !p.Simulcast {
		return []person.Layer{{Quality: 2, Picture: p.Picture}}
	}
	scaled := func(rid string, quality uint64, divisor uint16, percent int) person.Layer {
		picture := p.Picture
		picture.Width, picture.Height = picture.Width/divisor, picture.Height/divisor
		picture.BitsPerSecond = picture.BitsPerSecond * percent / 100
		return person.Layer{RID: rid, Quality: quality, Picture: picture}
	}
	return []person.Layer{scaled("q", 0, 4, 10), scaled("h", 1, 2, 30), scaled("f", 2, 1, 100)}
}

// Check says what does not go together.
func (p Plan) Check() error {
	switch {
	case p.Rooms < 1 || p.Speakers < 0 || p.Listeners < 0 || p.Cameras < 0:
		return fmt.Errorf("there must be a room, and nothing can be less than 0")
	case p.Speakers+p.Listeners == 0:
		return fmt.Errorf("nobody would take part")
	case p.Cameras > p.Speakers:
		return fmt.Errorf("%d cameras are more than %d speakers: only speakers have one", p.Cameras, p.Speakers)
	case p.PerSecond <= 0:
		return fmt.Errorf("at least somebody must join in a second")
	case p.Duration <= 0:
		return fmt.Errorf("the measured time must be longer than nothing")
	case p.Picture.BitsPerSecond < 10_000 || p.Picture.FramesPerSecond < 1 || p.Picture.FramesPerSecond > 120:
		return fmt.Errorf("a picture needs 10 kbit/s and 1 to 120 frames a second")
	}
	return nil
}
