package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"viaduc/bench/load/internal/load"
	"viaduc/bench/load/internal/peer"
	"viaduc/bench/load/internal/source"
	"viaduc/bench/load/internal/ticket"
)

// errUsage ends with status 2: flag itself has printed what is wrong.
var errUsage = errors.New("wrong options")

type options struct {
	plan    load.Plan
	signer  ticket.Signer
	tickets string
	verbose bool
}

// readOptions of the command line; what they mean is printed to out when it is asked for or something is wrong.
func readOptions(arguments []string, out io.Writer) (options, error) {
	var o options
	var kbps, fps, packetBytes int
	f := flag.NewFlagSet("load", flag.ContinueOnError)
	f.SetOutput(out)
	f.StringVar(&o.signer.URL, "url", "ws://127.0.0.1:7880", "signalling `address`; /rtc is appended")
	f.StringVar(&o.signer.Key, "key", "devkey", "API `key` that makes tickets")
	f.StringVar(&o.signer.Secret, "secret", "secret", "API `secret` that makes tickets")
	f.StringVar(&o.tickets, "tokens", "", "`file` of ready-made tickets instead, one a line, '<token>' or '<address> <token>', room by room, speakers first")
	f.IntVar(&o.plan.Rooms, "rooms", 1, "`number` of rooms")
	f.IntVar(&o.plan.Speakers, "speakers", 1, "`number` of people in each room who send sound (50 packets/s)")
	f.IntVar(&o.plan.Cameras, "cameras", 0, "`number` of speakers in each room who also send a picture (VP8)")
	f.IntVar(&o.plan.Listeners, "listeners", 1, "`number` of people in each room who only receive")
	f.BoolVar(&o.plan.SpeakersListen, "speakers-listen", true, "speakers receive each other")
	f.BoolVar(&o.plan.Simulcast, "simulcast", false, "pictures in three sizes: 10 %, 30 % and 100 % of -kbps")
	f.IntVar(&o.plan.SoundBytes, "sound-bytes", 100, "`bytes` of a sound packet's payload")
	f.IntVar(&packetBytes, "picture-bytes", 1100, "`bytes` of a full picture packet's payload")
	f.IntVar(&kbps, "kbps", 900, "`kbit/s` of a picture in its full size")
	f.IntVar(&fps, "fps", 25, "pictures a second")
	f.StringVar(&o.plan.Profile, "srtp", "browser", "SRTP `profiles` to offer: "+peer.ProfileNames())
	f.Float64Var(&o.plan.PerSecond, "ramp", 10, "`people` who join in a second")
	f.DurationVar(&o.plan.Settle, "settle", 30*time.Second, "at most so `long` is waited until everybody receives everything")
	f.DurationVar(&o.plan.Warmup, "warmup", 5*time.Second, "`time` from then until the measuring")
	f.DurationVar(&o.plan.Duration, "duration", 30*time.Second, "`time` that is measured")
	f.BoolVar(&o.verbose, "v", false, "say on standard error what happens to people")
	if err := f.Parse(arguments); err != nil {
		return o, errors.Join(errUsage, err)
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("%q is no option; see -h", f.Arg(0))
	}
	o.plan.Picture = source.Picture{Width: 1280, Height: 720, BitsPerSecond: kbps * 1000, FramesPerSecond: fps, PacketBytes: packetBytes}
	return o, errors.Join(o.plan.Check(), peer.CheckProfile(o.plan.Profile))
}

// office hands out the file's tickets in their order, or makes them.
func (o options) office() (load.Office, error) {
	if o.tickets == "" {
		return func(room, identity string, publishes bool) (ticket.Ticket, error) {
			return o.signer.Sign(room, identity, publishes, time.Now())
		}, nil
	}
	file, err := os.Open(o.tickets)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	all, err := ticket.ReadAll(file, o.signer.URL)
	if err != nil {
		return nil, err
	}
	people := o.plan.Rooms * (o.plan.Speakers + o.plan.Listeners)
	if len(all) < people {
		return nil, fmt.Errorf("%s holds %d tickets, and %d people take part", o.tickets, len(all), people)
	}
	var mu sync.Mutex
	return func(string, string, bool) (ticket.Ticket, error) {
		mu.Lock()
		defer mu.Unlock()
		next := all[0]
		all = all[1:]
		return next, nil
	}, nil
}
