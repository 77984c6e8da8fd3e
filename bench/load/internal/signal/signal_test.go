package signal

import (
	"encoding/hex"
	"reflect"
	"testing"
	"time"
)

var layers = []Layer{{Quality: 0, Width: 320, Height: 180, Bitrate: 100_000}, {Quality: 2, Width: 1280, Height: 720, Bitrate: 900_000}}

// The bytes here and below were written by LiveKit's own library (@livekit/protocol 1.52.1).
func TestRequestsAreLiveKits(t *testing.T) {
	for name, c := range map[string]struct {
		written  []byte
		expected string
	}{
		"offer":      {Offer(Description{SDP: "v=0", ID: 1}), "0a0e0a056f666665721203763d301801"},
		"answer":     {Answer(Description{SDP: "v=0", ID: 300}), "12100a06616e737765721203763d3018ac02"},
		"trickle":    {Trickle(Candidate{Init: "{}", Target: Subscriber}), "1a060a027b7d1001"},
		"leave":      {Leave(), "42021001"},
		"ping":       {Ping(1795527720123), "82010708bbf9aaeea034"},
		"microphone": {AddTrack(Track{CID: "mic1", Name: "microphone"}), "22160a046d696331120a6d6963726f70686f6e6540026801"},
		"camera": {AddTrack(Track{CID: "cam1", Name: "camera", Layers: layers}),
			"22590a0463616d31120663616d657261180120800a28d00540014a0a10c00218b40120a08d064a0c080210800a18d00520a0f73652250a0376703812" +
				"0463616d31220a10c00218b40120a08d06220c080210800a18d00520a0f736"},
	} {
		if got := hex.EncodeToString(c.written); got != c.expected {
			t.Errorf("%s: wrote %s, LiveKit writes %s", name, got, c.expected)
		}
	}
}

func TestResponsesAreLiveKits(t *testing.T) {
	for name, c := range map[string]struct {
		written  string
		expected Response
	}{
		"join": {"0a4b0a090a04524d5f3112017212100a0450415f311203616e6e4a03416e6e1a130a0450415f321203626f6222060a0454525f311a0c0a0450415f331204636c656f3001500f58056203120131",
			Response{Join: &Join{Own: Participant{"PA_1", "ann"}, Others: []Participant{{"PA_2", "bob"}, {"PA_3", "cleo"}}, SubscriberPrimary: true, PingEvery: 5 * time.Second}}},
		"answer":  {"120f0a06616e737765721203763d301801", Response{Answer: &Description{SDP: "v=0", ID: 1}}},
		"offer":   {"1a180a056f666665721205763d30206f180722060a0161120162", Response{Offer: &Description{SDP: "v=0 o", ID: 7}}},
		"trickle": {"22060a027b7d1001", Response{Trickle: &Candidate{Init: "{}", Target: Subscriber}}},
		"update": {"2a1d0a0d0a0450415f321203626f6218020a0c0a0450415f331204636c656f",
			Response{Participants: []Participant{{"PA_2", "bob"}, {"PA_3", "cleo"}}}},
		"published":   {"320e0a0463616d3112060a0454525f31", Response{Published: "cam1"}},
		"leave":       {"4206080110041802", Response{Leave: &Parting{Reason: 4}}},
		"unknown one": {"fa0f03010203", Response{}},
	} {
		bytes, err := hex.DecodeString(c.written)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(bytes)
		if err != nil || !reflect.DeepEqual(got, c.expected) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestWhatIsCutOffIsRefused(t *testing.T) {
	for _, text := range []string{"0a4b0a09", "120f0a06616e", "80", "1a03a0"} {
		bytes, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := Decode(bytes); err == nil {
			t.Errorf("%s was read as %+v", text, r)
		}
	}
}

func TestNamesBelowLocalhostAreHere(t *testing.T) {
	for address, here := range map[string]bool{"ws://localhost:1": true, "ws://a.localhost:1": true, "wss://[::1]": true, "ws://127.0.0.9:1": true, "ws://localhost.org": false, "ws://10.0.0.1:1": false} {
		if OnThisMachine(address) != here {
			t.Errorf("%s: %v", address, !here)
		}
	}
}
