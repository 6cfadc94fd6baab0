package main

import (
	"flag"
	"sync"
	"time"

	"bench/grpcwire"
)

// Connects, asks for health, lists schedulers and closes, over and over.
func churn(flags *flag.FlagSet, address *string, arguments []string) {
	workers := flags.Int("workers", 16, "cycles under way at once")
	seconds := flags.Float64("seconds", 4, "how long")
	flags.Parse(arguments)
	var mutex sync.Mutex
	var all sync.WaitGroup
	var times []time.Duration
	failures := 0
	started := time.Now()
	end := started.Add(time.Duration(*seconds * float64(time.Second)))
	for worker := range *workers {
		all.Add(1)
		go func() {
			defer all.Done()
			var mine []time.Duration
			bad := 0
			for time.Now().Before(end) {
				began := time.Now()
				if cycle(*address, worker) {
					mine = append(mine, time.Since(began))
				} else {
					bad++
				}
			}
			mutex.Lock()
			times = append(times, mine...)
			failures += bad
			mutex.Unlock()
		}()
	}
	all.Wait()
	say(map[string]any{
		"cycles": len(times), "failures": failures, "seconds": time.Since(started).Seconds(),
		"p50Ms": percentileMs(times, 0.5), "p99Ms": percentileMs(times, 0.99),
	})
}

func cycle(address string, caller int) bool {
	client, err := grpcwire.Dial(address, connectTimeout)
	if err != nil {
		return false
	}
	defer client.Close()
	if failed(client.Call(healthPath, nil, callTimeout)) {
		return false
	}
	return !failed(client.Call(listPath, listRequest(caller), callTimeout))
}
