// load puts people into calls on any server that speaks LiveKit's client protocol, and counts what they receive.
//
// It knows nothing of the server but its address and tickets: the same packets and the same arithmetic serve every one.
// Standard output is JSON, a line for each phase and the result last; see README.md.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"viaduc/bench/load/internal/load"
)

// Less garbage is collected than usual: its pauses would be counted as delay.
const garbagePercent = 400

func main() {
	debug.SetGCPercent(garbagePercent)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	o, err := readOptions(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case errors.Is(err, errUsage):
		os.Exit(2)
	case err == nil:
		err = run(ctx, o)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "load: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	office, err := o.office()
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	r := load.Run{Plan: o.plan, Office: office, Log: func(format string, values ...any) {
		if o.verbose {
			fmt.Fprintf(os.Stderr, format+"\n", values...)
		}
	}, Phase: func(name string) {
		// Who reads it has gone if this fails, and then so does the result.
		_ = out.Encode(map[string]string{"phase": name})
	}}
	result, err := r.Do(ctx)
	if err != nil {
		return err
	}
	return out.Encode(result)
}
