package stamp

import "testing"

func TestAStampIsReadAsItWasWritten(t *testing.T) {
	written := Stamp{Room: 7, Sender: 0xffffffff, Counter: 12345, SentAt: 1795527720123456789}
	payload := make([]byte, 100)
	written.Write(payload)
	// A server may put a longer descriptor in front.
	read, found := Read(append([]byte{1, 2, 3, 4, 5, 6}, payload...))
	if !found || read != written {
		t.Fatalf("read %+v, %v; written %+v", read, found, written)
	}
}

func TestWhatIsNotOursHasNoStamp(t *testing.T) {
	for name, payload := range map[string][]byte{"nothing": nil, "too short": make([]byte, Size-1), "another's": make([]byte, 200)} {
		if _, found := Read(payload); found {
			t.Errorf("%s: a stamp was found", name)
		}
	}
}
