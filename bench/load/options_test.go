package main

import (
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOptionsMakeAPlan(t *testing.T) {
	o, err := readOptions(strings.Fields("-rooms 2 -speakers 3 -cameras 1 -listeners 4 -kbps 500 -fps 10"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if p := o.plan; p.Rooms != 2 || p.Speakers != 3 || p.Cameras != 1 || p.Listeners != 4 || p.Picture.BitsPerSecond != 500_000 || p.Picture.FramesPerSecond != 10 {
		t.Errorf("%+v", p)
	}
}

func TestWrongOptionsAreRefused(t *testing.T) {
	for line, said := range map[string]string{"-nonsense": "not defined", "word": "no option", "-cameras 2": "cameras", "-srtp rot13": "browser", "-duration 0s": "time"} {
		if _, err := readOptions(strings.Fields(line), io.Discard); err == nil || !strings.Contains(err.Error(), said) {
			t.Errorf("%s: %v", line, err)
		}
	}
	if _, err := readOptions([]string{"-h"}, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("help: %v", err)
	}
}

func TestTicketsMustBeEnough(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tickets")
	if err := os.WriteFile(file, []byte("a.e30.c\nws://b b.e30.d\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	o, err := readOptions([]string{"-tokens", file, "-url", "ws://a"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	office, err := o.office()
	if err != nil {
		t.Fatal(err)
	}
	first, _ := office("", "", true)
	second, _ := office("", "", false)
	if first.URL != "ws://a" || second.URL != "ws://b" {
		t.Errorf("%+v %+v", first, second)
	}
	o.plan.Listeners = 2
	if _, err := o.office(); err == nil || !strings.Contains(err.Error(), "2 tickets") {
		t.Errorf("3 people, 2 tickets: %v", err)
	}
}
