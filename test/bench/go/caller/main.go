// Callers whose connections matter, which h2load and ghz cannot play: they come, ask, go, wait, or send beats.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"sort"
	"strconv"
	"time"

	"bench/grpcwire"
)

const (
	listPath      = "/manager.v2.Manager/ListSchedulers"
	healthPath    = "/grpc.health.v1.Health/Check"
	keepAlivePath = "/manager.v2.Manager/KeepAlive"
	updatePath    = "/manager.v2.Manager/UpdateScheduler"
	// Of the Rust client.
	connectTimeout = 3 * time.Second
	callTimeout    = 10 * time.Second
)

func main() {
	if len(os.Args) < 2 {
		log.Fatal("usage: caller churn|hold|storm|outage|nodes|day [flags]")
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	address := flags.String("addr", "", "host:port")
	commands := map[string]func(*flag.FlagSet, *string, []string){
		"churn": churn, "hold": hold, "storm": storm, "outage": outage, "nodes": nodes, "day": day,
	}
	command := commands[os.Args[1]]
	if command == nil {
		log.Fatalf("%s is no command", os.Args[1])
	}
	command(flags, address, os.Args[2:])
}

// ListSchedulersRequest of a daemon: source type, hostname, ip, version, commit.
func listRequest(caller int) []byte {
	message := grpcwire.Number(nil, 1, 1)
	message = grpcwire.Text(message, 2, "bench-daemon-"+strconv.Itoa(caller))
	message = grpcwire.Text(message, 3, addressOf(caller))
	message = grpcwire.Text(message, 6, "v1.5.1")
	return grpcwire.Text(message, 7, "abc1234")
}

func addressOf(number int) string {
	return fmt.Sprintf("10.%d.%d.%d", 2+number/62_500, number/250%250, 1+number%250)
}

func failed(reply grpcwire.Reply, err error) bool { return err != nil || reply.Code != 0 }

// A percentile of `times`, which it sorts, in milliseconds.
func percentileMs(times []time.Duration, share float64) float64 {
	if len(times) == 0 {
		return 0
	}
	sort.Slice(times, func(a, b int) bool { return times[a] < times[b] })
	at := min(int(share*float64(len(times))), len(times)-1)
	return float64(times[at].Microseconds()) / 1000
}

func say(values map[string]any) {
	if err := json.NewEncoder(os.Stdout).Encode(values); err != nil {
		log.Fatal(err)
	}
}

// Closed once whoever started this lets go of standard input.
func untilDismissed() <-chan struct{} {
	dismissed := make(chan struct{})
	go func() {
		buffer := make([]byte, 256)
		for {
			if _, err := os.Stdin.Read(buffer); err != nil {
				close(dismissed)
				return
			}
		}
	}()
	return dismissed
}
