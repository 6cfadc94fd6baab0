package main

import (
	"flag"
	"sync"
	"sync/atomic"
	"time"

	"bench/grpcwire"
)

// Opens connections, each of a daemon of its own that makes a call, and then one each poll, until it is dismissed.
func hold(flags *flag.FlagSet, address *string, arguments []string) {
	connections := flags.Int("connections", 2000, "how many")
	perSecond := flags.Int("per-second", 1000, "how many of them in a second")
	pollSeconds := flags.Float64("poll", 60, "seconds between two calls of one; 0: only the first")
	flags.Parse(arguments)
	dismissed := untilDismissed()
	var calls, failures atomic.Int64
	var opened sync.WaitGroup
	var mutex sync.Mutex
	var times []time.Duration
	ask := func(client *grpcwire.Client, caller int) {
		began := time.Now()
		bad := failed(client.Call(listPath, listRequest(caller), callTimeout))
		calls.Add(1)
		if bad {
			failures.Add(1)
			return
		}
		mutex.Lock()
		times = append(times, time.Since(began))
		mutex.Unlock()
	}
	for caller := range *connections {
		opened.Add(1)
		go func() {
			client, err := grpcwire.Dial(*address, connectTimeout)
			if err != nil {
				failures.Add(1)
				opened.Done()
				return
			}
			ask(client, caller)
			opened.Done()
			poll(client, caller, *pollSeconds, dismissed, ask)
		}()
		time.Sleep(time.Second / time.Duration(*perSecond))
	}
	opened.Wait()
	say(map[string]any{"open": *connections, "failures": failures.Load()})
	mutex.Lock()
	times = nil
	mutex.Unlock()
	<-dismissed
	mutex.Lock()
	say(map[string]any{
		"calls": calls.Load(), "failures": failures.Load(),
		"p50Ms": percentileMs(times, 0.5), "p99Ms": percentileMs(times, 0.99),
	})
	mutex.Unlock()
}

func poll(client *grpcwire.Client, caller int, seconds float64, dismissed <-chan struct{}, ask func(*grpcwire.Client, int)) {
	if seconds == 0 {
		<-dismissed
		return
	}
	ticker := time.NewTicker(time.Duration(seconds * float64(time.Second)))
	defer ticker.Stop()
	for {
		select {
		case <-dismissed:
			return
		case <-ticker.C:
			ask(client, caller)
		}
	}
}
