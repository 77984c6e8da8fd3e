package load

import (
	"viaduc/bench/load/internal/tally"
)

// Result of a run: what the window held, and what happened to people over the whole time.
type Result struct {
	tally.Result
	People int `json:"people"`
	// Refused people could not join; the first reason.
	Refused int    `json:"refused"`
	Refusal string `json:"refusal,omitempty"`
	// Dropped people lost their session later on; the first reason.
	Dropped int    `json:"dropped"`
	Drop    string `json:"drop,omitempty"`
	// Missing tracks had not come when the waiting for them ended.
	Missing      int             `json:"missing"`
	JoinMs       tally.Quantiles `json:"joinMs"`
	FirstMediaMs tally.Quantiles `json:"firstMediaMs"`
	Generator    Generator       `json:"generator"`
}

// Generator says whether this side kept up: CPU time in cores, and how late packets were sent.
type Generator struct {
	CPURatio float64         `json:"cpuRatio"`
	LateMs   tally.Quantiles `json:"lateMs"`
}

func (r *Run) result(missing int) Result {
	result := Result{Result: r.book.Result(), People: len(r.people), Refused: r.refusals.count, Missing: missing}
	if r.refusals.first != nil {
		result.Refusal = r.refusals.first.Error()
	}
	var joins, media tally.Histogram
	for _, p := range r.people {
		joined, first := p.Joined()
		joins.Add(joined)
		if first > 0 {
			media.Add(first)
		}
		if lost := p.Lost(); lost != nil {
			if result.Dropped == 0 {
				result.Drop = p.Name() + ": " + lost.Error()
			}
			result.Dropped++
		}
	}
	result.JoinMs, result.FirstMediaMs = joins.Quantiles(), media.Quantiles()
	return result
}
