package tally

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

// Below 2^fine µs each has its own bucket; above, each power of two has 2^(fine-1) of them: 1.6 % wide at most.
const (
	fine    = 7
	exact   = 1 << fine
	perStep = exact / 2
	buckets = exact + perStep*(32-fine)
)

// Histogram counts durations up to an hour; it may be filled from several places at once.
type Histogram struct {
	counts [buckets]atomic.Uint32
	most   atomic.Int64
}

// Add counts one. What is negative (clocks were set) counts as nothing.
func (h *Histogram) Add(d time.Duration) {
	us := max(0, d.Microseconds())
	for most := h.most.Load(); us > most && !h.most.CompareAndSwap(most, us); most = h.most.Load() {
	}
	h.counts[bucketOf(us)].Add(1)
}

// Reset forgets everything.
func (h *Histogram) Reset() {
	h.most.Store(0)
	for i := range h.counts {
		h.counts[i].Store(0)
	}
}

// Quantiles of the counted durations, in milliseconds.
type Quantiles struct {
	Count uint64  `json:"count"`
	P50   float64 `json:"p50"`
	P95   float64 `json:"p95"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
}

// Quantiles of what was counted so far; zeros without any.
func (h *Histogram) Quantiles() Quantiles {
	q := Quantiles{Max: float64(h.most.Load()) / 1000}
	for i := range h.counts {
		q.Count += uint64(h.counts[i].Load())
	}
	q.P50, q.P95, q.P99 = h.quantile(0.5, q.Count), h.quantile(0.95, q.Count), h.quantile(0.99, q.Count)
	return q
}

func (h *Histogram) quantile(share float64, total uint64) float64 {
	wanted, seen := uint64(math.Ceil(share*float64(total))), uint64(0)
	for i := range h.counts {
		seen += uint64(h.counts[i].Load())
		if seen >= wanted && seen > 0 {
			return math.Round(middleOf(i)) / 1000
		}
	}
	return 0
}

func bucketOf(us int64) int {
	if us < exact {
		return int(us)
	}
	power := bits.Len64(uint64(us)) - 1
	within := int(us>>(power-fine+1)) - perStep
	return min(exact+(power-fine)*perStep+within, buckets-1)
}

// middleOf a bucket, in µs.
func middleOf(bucket int) float64 {
	if bucket < exact {
		return float64(bucket)
	}
	power := fine + (bucket-exact)/perStep
	width := float64(uint64(1) << (power - fine + 1))
	return (float64(perStep+(bucket-exact)%perStep) + 0.5) * width
}
