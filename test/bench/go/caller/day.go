package main

import (
	"flag"
	"sync"
	"sync/atomic"
	"time"

	"bench/grpcwire"
)

// A day of a fleet in minutes: connections that call as fast as the rate allows, and after some calls come again as
// another daemon over another connection. Says how far it is each second.
func day(flags *flag.FlagSet, address *string, arguments []string) {
	workers := flags.Int("workers", 50, "daemons at once")
	rate := flags.Int("rate", 4000, "calls a second")
	life := flags.Int("life", 200, "calls of one daemon")
	seconds := flags.Int("seconds", 180, "how long")
	flags.Parse(arguments)
	var calls, failures, daemons atomic.Int64
	var all sync.WaitGroup
	end := time.Now().Add(time.Duration(*seconds) * time.Second)
	between := time.Second * time.Duration(*workers) / time.Duration(*rate)
	for range *workers {
		all.Add(1)
		go func() {
			defer all.Done()
			for time.Now().Before(end) {
				live(*address, int(daemons.Add(1)), *life, between, end, &calls, &failures)
			}
		}()
	}
	over := make(chan struct{})
	go func() {
		all.Wait()
		close(over)
	}()
	ticker := time.NewTicker(time.Second)
	for {
		select {
		case <-ticker.C:
			say(map[string]any{"calls": calls.Load(), "failures": failures.Load(), "daemons": daemons.Load()})
		case <-over:
			say(map[string]any{"calls": calls.Load(), "failures": failures.Load(), "daemons": daemons.Load(), "over": true})
			return
		}
	}
}

func live(address string, daemon, life int, between time.Duration, end time.Time, calls, failures *atomic.Int64) {
	client, err := grpcwire.Dial(address, connectTimeout)
	if err != nil {
		failures.Add(1)
		time.Sleep(between)
		return
	}
	defer client.Close()
	next := time.Now()
	for range life {
		if time.Now().After(end) {
			return
		}
		time.Sleep(time.Until(next))
		next = next.Add(between)
		calls.Add(1)
		if failed(client.Call(listPath, listRequest(daemon), callTimeout)) {
			failures.Add(1)
		}
	}
}
