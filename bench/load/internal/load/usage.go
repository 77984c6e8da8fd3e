package load

import (
	"math"
	"syscall"
	"time"
)

// usage is the CPU time of this process at some moment.
type usage struct {
	at   time.Time
	used time.Duration
}

func startUsage() usage { return usage{time.Now(), cpuTime()} }

// end says how many cores were used since.
func (u usage) end() float64 {
	return math.Round(float64(cpuTime()-u.used)/float64(time.Since(u.at))*1000) / 1000
}

func cpuTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
