package ticket

import (
	"strings"
	"testing"
	"time"
)

var now = time.Unix(1795527720, 0)

func TestASignedTicketIsReadBack(t *testing.T) {
	made, err := Signer{URL: "ws://one", Key: "key", Secret: "secret"}.Sign("room", "ann", true, now)
	if err != nil {
		t.Fatal(err)
	}
	read, err := ReadAll(strings.NewReader("\n"+made.Token+"\nws://two "+made.Token+"\n"), "ws://one")
	if err != nil {
		t.Fatal(err)
	}
	other := made
	other.URL = "ws://two"
	if len(read) != 2 || read[0] != made || read[1] != other {
		t.Fatalf("read %+v", read)
	}
}

// expectedToken was signed by another implementation of JWT (jose), with the same key and time.
const expectedToken = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." +
	"eyJpc3MiOiJrZXkiLCJzdWIiOiJhbm4iLCJuYmYiOjE3OTU1Mjc3MTAsImV4cCI6MTc5NTU0OTMyMCwidmlkZW8iOnsicm9vbSI6InJvb20iLCJyb29tSm9pbiI6dHJ1ZSwiY2FuUHVibGlzaCI6dHJ1ZSwiY2FuU3Vic2NyaWJlIjp0cnVlfX0." +
	"78X9n-qmiADXtbVh-ouZ70nJ7axNltNEVqwDhsKZGkI"

func TestTheSignatureIsThatOfEveryJWTLibrary(t *testing.T) {
	made, err := Signer{Key: "key", Secret: "secret"}.Sign("room", "ann", true, now)
	if err != nil {
		t.Fatal(err)
	}
	if made.Token != expectedToken {
		t.Fatalf("made %s", made.Token)
	}
}

func TestWhatIsNoTicketIsRefusedWithItsLine(t *testing.T) {
	for name, line := range map[string]string{
		"one part":     "token",
		"three words":  "a b c",
		"not base64":   "a.!.c",
		"not JSON":     "a.aGVsbG8.c",
		"empty claims": "a..c",
	} {
		_, err := ReadAll(strings.NewReader("\n"+line), "")
		if err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
