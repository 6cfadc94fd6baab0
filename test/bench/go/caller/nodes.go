package main

import (
	"flag"
	"strconv"
	"sync/atomic"
	"time"

	"bench/grpcwire"
)

// Schedulers: each registers, and holds a KeepAlive stream with a beat each interval, over a connection of its own.
func nodes(flags *flag.FlagSet, address *string, arguments []string) {
	number := flags.Int("nodes", 1000, "how many")
	perSecond := flags.Int("per-second", 200, "how many of them in a second")
	beatSeconds := flags.Float64("beat", 5, "seconds between two beats")
	flags.Parse(arguments)
	dismissed := untilDismissed()
	var open, ended, beats atomic.Int64
	for node := range *number {
		go func() {
			client, err := grpcwire.Dial(*address, connectTimeout)
			if err != nil || failed(client.Call(updatePath, registration(node), callTimeout)) {
				ended.Add(1)
				return
			}
			send, over := client.Stream(keepAlivePath)
			if send(beat(node)) != nil {
				ended.Add(1)
				return
			}
			open.Add(1)
			ticker := time.NewTicker(time.Duration(*beatSeconds * float64(time.Second)))
			defer ticker.Stop()
			for {
				select {
				case <-over:
					ended.Add(1)
					return
				case <-ticker.C:
					send(beat(node))
					beats.Add(1)
				}
			}
		}()
		time.Sleep(time.Second / time.Duration(*perSecond))
	}
	for open.Load()+ended.Load() < int64(*number) {
		time.Sleep(10 * time.Millisecond)
	}
	say(map[string]any{"open": open.Load(), "ended": ended.Load()})
	<-dismissed
	say(map[string]any{"open": open.Load(), "ended": ended.Load(), "beats": beats.Load()})
}

func hostname(node int) string { return "bench-node-" + strconv.Itoa(node) }

func registration(node int) []byte {
	message := grpcwire.Number(nil, 1, 0)
	message = grpcwire.Text(message, 2, hostname(node))
	message = grpcwire.Number(message, 3, 1)
	message = grpcwire.Text(message, 6, addressOf(node))
	return grpcwire.Number(message, 7, 8002)
}

func beat(node int) []byte {
	message := grpcwire.Text(nil, 2, hostname(node))
	message = grpcwire.Number(message, 3, 1)
	return grpcwire.Text(message, 4, addressOf(node))
}
