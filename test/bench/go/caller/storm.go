package main

import (
	"flag"
	"sync"
	"sync/atomic"
	"time"

	"bench/grpcwire"
)

// Daemons that start as the Rust client does: two connections, health once, the schedulers three times, no retry.
func storm(flags *flag.FlagSet, address *string, arguments []string) {
	daemons := flags.Int("daemons", 2000, "how many")
	seconds := flags.Float64("seconds", 10, "within how long they start")
	flags.Parse(arguments)
	var all sync.WaitGroup
	var failures atomic.Int64
	var mutex sync.Mutex
	var times []time.Duration
	between := time.Duration(*seconds * float64(time.Second) / float64(*daemons))
	began := time.Now()
	for daemon := range *daemons {
		time.Sleep(time.Until(began.Add(time.Duration(daemon) * between)))
		all.Add(1)
		go func() {
			defer all.Done()
			started := time.Now()
			if !start(*address, daemon) {
				failures.Add(1)
				return
			}
			mutex.Lock()
			times = append(times, time.Since(started))
			mutex.Unlock()
		}()
	}
	all.Wait()
	say(map[string]any{
		"run": len(times), "failures": failures.Load(), "allAfterMs": time.Since(began).Milliseconds(),
		"p50Ms": percentileMs(times, 0.5), "p99Ms": percentileMs(times, 0.99),
	})
}

// The connections stay open, as a daemon's do.
func start(address string, daemon int) bool {
	health, err := grpcwire.Dial(address, connectTimeout)
	if err != nil {
		return false
	}
	lists, err := grpcwire.Dial(address, connectTimeout)
	if err != nil {
		return false
	}
	if failed(health.Call(healthPath, nil, callTimeout)) {
		return false
	}
	for range 3 {
		if failed(lists.Call(listPath, listRequest(daemon), callTimeout)) {
			return false
		}
	}
	return true
}
