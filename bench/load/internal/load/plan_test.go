package load

import (
	"testing"
	"time"

	"viaduc/bench/load/internal/source"
)

func plan(change func(*Plan)) Plan {
	p := Plan{Rooms: 2, Speakers: 3, Cameras: 1, Listeners: 2, SoundBytes: 100, PerSecond: 10, Duration: time.Second,
		Picture: source.Picture{Width: 1280, Height: 720, BitsPerSecond: 1_000_000, FramesPerSecond: 30}}
	change(&p)
	return p
}

func TestSpeakersComeFirstInEachRoom(t *testing.T) {
	seats := plan(func(p *Plan) { p.Simulcast = true }).seats()
	if len(seats) != 10 {
		t.Fatalf("%d seats", len(seats))
	}
	for i, s := range seats {
		at := i % 5
		if s.room != seats[i-at].room || (s.publish.SoundBytes > 0) != (at < 3) || (len(s.publish.Layers) == 3) != (at == 0) || s.listens != (at >= 3) {
			t.Errorf("seat %d: %+v", i, s)
		}
	}
	if seats[0].room == seats[5].room {
		t.Error("the rooms are one")
	}
	low := seats[0].publish.Layers[0]
	if low.RID != "q" || low.Picture.Width != 320 || low.Picture.BitsPerSecond != 100_000 {
		t.Errorf("the smallest layer: %+v", low)
	}
}

func TestPlansThatCannotBeAreRefused(t *testing.T) {
	if err := plan(func(*Plan) {}).Check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Plan){
		"no room":          func(p *Plan) { p.Rooms = 0 },
		"nobody":           func(p *Plan) { p.Speakers, p.Cameras, p.Listeners = 0, 0, 0 },
		"too many cameras": func(p *Plan) { p.Cameras = 4 },
		"nobody joins":     func(p *Plan) { p.PerSecond = 0 },
		"no time":          func(p *Plan) { p.Duration = 0 },
		"no frames":        func(p *Plan) { p.Picture.FramesPerSecond = 0 },
	} {
		if plan(change).Check() == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
