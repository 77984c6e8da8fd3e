package source

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"

	"viaduc/bench/load/internal/stamp"
	"viaduc/bench/load/internal/tally"
)

// record keeps the first packets and then ends the stream.
type record struct {
	packets []*rtp.Packet
	most    int
	quit    chan struct{}
}

func (r *record) WriteRTP(p *rtp.Packet) error {
	if len(r.packets) < r.most {
		r.packets = append(r.packets, &rtp.Packet{Header: p.Header.Clone(), Payload: append([]byte(nil), p.Payload...)})
		if len(r.packets) == r.most {
			close(r.quit)
		}
	}
	return nil
}

func recordPackets(most int, send func(*Stream)) []*rtp.Packet {
	r := &record{most: most, quit: make(chan struct{})}
	sender := tally.NewBook().Publish("room", "ann", 1).Senders[0]
	send(NewStream(r, sender, []Extension{{ID: 3, Value: []byte("0")}}, &tally.Histogram{}, r.quit))
	return r.packets
}

func TestPacketsFollowEachOther(t *testing.T) {
	packets := recordPackets(4, func(s *Stream) { s.Sound(100) })
	for i, p := range packets {
		said, ours := stamp.Read(p.Payload)
		if !ours || said.Counter != uint32(i) || len(p.Payload) != 100 || string(p.Header.GetExtension(3)) != "0" || p.Marker != (i == 0) {
			t.Errorf("packet %d: %+v", i, p)
		}
		if i > 0 && (p.SequenceNumber != packets[i-1].SequenceNumber+1 || p.Timestamp != packets[i-1].Timestamp+samples) {
			t.Errorf("packet %d does not follow the one before", i)
		}
	}
}

// Read with Pion's depacketizer, which servers of that family use.
func TestPicturesAreShapedLikeVP8(t *testing.T) {
	picture := Picture{Width: 640, Height: 360, BitsPerSecond: 900_000, FramesPerSecond: 100, PacketBytes: 500, WantsKey: &atomic.Bool{}}
	packets := recordPackets(14, func(s *Stream) { s.Picture(picture) })
	frames := map[uint32][]codecs.VP8Packet{}
	for _, p := range packets {
		var vp8 codecs.VP8Packet
		if _, err := vp8.Unmarshal(p.Payload); err != nil {
			t.Fatal(err)
		}
		if begins := len(frames[p.Timestamp]) == 0; begins != (vp8.S == 1) {
			t.Errorf("S is %d in packet %d of a frame", vp8.S, len(frames[p.Timestamp]))
		}
		frames[p.Timestamp] = append(frames[p.Timestamp], vp8)
	}
	first := frames[packets[0].Timestamp]
	// 1,125 bytes a frame, four times that for the key frame: 9 packets of 500.
	if len(first) != 9 || first[0].Payload[0]&1 != 0 || string(first[0].Payload[3:6]) != "\x9d\x01\x2a" {
		t.Errorf("the first frame is no key frame: %d packets, % x", len(first), first[0].Payload[:10])
	}
	second := frames[packets[9].Timestamp]
	if len(second) != 2 || second[0].Payload[0]&1 != 1 || second[0].PictureID != (first[0].PictureID+1)&0x7fff {
		t.Errorf("the second frame: %d packets, picture %d after %d", len(second), second[0].PictureID, first[0].PictureID)
	}
}

func TestFramesKeepTheRate(t *testing.T) {
	for name, c := range map[string]cutter{"large packets": {bytesPerFrame: 4500, full: 1100}, "nearly one": {bytesPerFrame: 1050, full: 1000}} {
		bytes := 0
		for range 1000 {
			packets, size := c.next(false)
			bytes += packets * size
		}
		if wanted := 1000 * c.bytesPerFrame; bytes < wanted-c.full || bytes > wanted {
			t.Errorf("%s: %d bytes in 1,000 frames, not %d", name, bytes, wanted)
		}
	}
	small := cutter{bytesPerFrame: 10, full: 1000}
	if packets, size := small.next(false); packets != 1 || size != leastPacket {
		t.Errorf("a small frame is %d packets of %d bytes", packets, size)
	}
}

func TestWhatIsLateIsMadeUpFor(t *testing.T) {
	quit := make(chan struct{})
	lateness := &tally.Histogram{}
	calls, began := 0, time.Now()
	pace(5*time.Millisecond, lateness, quit, func() {
		if calls++; calls == 1 {
			time.Sleep(50 * time.Millisecond)
		}
		if calls == 11 {
			close(quit)
		}
	})
	if took := time.Since(began); took > 500*time.Millisecond || lateness.Quantiles().Max < 40 {
		t.Errorf("%d calls took %s, at most %v ms late", calls, took, lateness.Quantiles().Max)
	}
}
