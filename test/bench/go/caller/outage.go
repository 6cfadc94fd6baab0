package main

import (
	"flag"
	"sync"
	"time"

	"bench/grpcwire"
)

// Clients that come all the time, each with a connection of its own, and beside them calls that only the manager can
// answer. Tells of each call when it was asked, how long it took and how it ended, until it is dismissed.
func outage(flags *flag.FlagSet, address *string, arguments []string) {
	perSecond := flags.Int("clients", 50, "clients a second")
	callers := flags.Int("callers", 200, "as which daemons they come, in turn")
	deadline := flags.Duration("deadline", callTimeout, "of a client's call")
	passing := flags.Int("passing", 10, "calls a second that are passed through")
	flags.Parse(arguments)
	dismissed := untilDismissed()
	var mutex sync.Mutex
	var all sync.WaitGroup
	tell := func(kind string, began time.Time, reply grpcwire.Reply, err error) {
		mutex.Lock()
		defer mutex.Unlock()
		say(map[string]any{
			"kind": kind, "atMs": began.UnixMilli(), "ok": !failed(reply, err),
			"ms": float64(time.Since(began).Microseconds()) / 1000, "cache": reply.Trailers["x-dfmgw-cache"],
		})
	}
	every := func(perSecond int, run func(number int)) {
		ticker := time.NewTicker(time.Second / time.Duration(perSecond))
		defer ticker.Stop()
		for number := 0; ; number++ {
			select {
			case <-dismissed:
				return
			case <-ticker.C:
				all.Add(1)
				go func() {
					defer all.Done()
					run(number)
				}()
			}
		}
	}
	ask := func(kind string, number int, timeout time.Duration, extra ...string) {
		began := time.Now()
		client, err := grpcwire.Dial(*address, connectTimeout)
		if err != nil {
			tell(kind, began, grpcwire.Reply{}, err)
			return
		}
		defer client.Close()
		reply, err := client.Call(listPath, listRequest(number%*callers), timeout, extra...)
		tell(kind, began, reply, err)
	}
	go every(*passing, func(number int) {
		ask("pass", number, time.Second, "authorization", "bench")
	})
	every(*perSecond, func(number int) { ask("client", number, *deadline) })
	all.Wait()
}
