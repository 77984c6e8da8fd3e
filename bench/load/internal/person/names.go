package person

import (
	"strings"
	"sync"

	"viaduc/bench/load/internal/signal"
)

// names knows the identities of the participants that the server has told of.
type names struct {
	mu         sync.RWMutex
	identities map[string]string
}

func newNames() *names { return &names{identities: map[string]string{}} }

func (n *names) learn(participants ...signal.Participant) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range participants {
		n.identities[p.SID] = p.Identity
	}
}

// of the stream's owner; the name of a stream is "<participant>|<track>". "" for somebody unknown.
func (n *names) of(stream string) string {
	sid, _, _ := strings.Cut(stream, "|")
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.identities[sid]
}
