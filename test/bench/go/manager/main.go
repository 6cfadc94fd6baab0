// A stub manager that outruns every gateway: it answers each path with bytes it was given, and counts. Nothing of the
// manager's work is in it. KeepAlive streams end OK without a message; GetScheduler knows the benchmark's nodes, and says "record not found" of others.
package main

import (
	"encoding/base64"
	"encoding/json"
	"flag"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"

	"bench/grpcwire"
)

var counters struct {
	accepted, open, calls atomic.Int64
	byPath                sync.Map
}

func count(path string) {
	counters.calls.Add(1)
	known, ok := counters.byPath.Load(path)
	if !ok {
		known, _ = counters.byPath.LoadOrStore(path, new(atomic.Int64))
	}
	known.(*atomic.Int64).Add(1)
}

func readAnswers(file string) map[string][]byte {
	text, err := os.ReadFile(file)
	if err != nil {
		log.Fatal(err)
	}
	var encoded map[string]string
	if err := json.Unmarshal(text, &encoded); err != nil {
		log.Fatal(err)
	}
	answers := map[string][]byte{}
	for path, base := range encoded {
		payload, err := base64.StdEncoding.DecodeString(base)
		if err != nil {
			log.Fatal(err)
		}
		answers[path] = grpcwire.Message(payload)
	}
	return answers
}

func serveCounters(address string) {
	http.HandleFunc("/counters", func(response http.ResponseWriter, _ *http.Request) {
		byPath := map[string]int64{}
		counters.byPath.Range(func(path, calls any) bool {
			byPath[path.(string)] = calls.(*atomic.Int64).Load()
			return true
		})
		json.NewEncoder(response).Encode(map[string]any{
			"accepted": counters.accepted.Load(),
			"open":     counters.open.Load(),
			"calls":    counters.calls.Load(),
			"byPath":   byPath,
		})
	})
	log.Fatal(http.ListenAndServe(address, nil))
}

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "where to serve gRPC")
	admin := flag.String("counters", "", "where to serve the counters")
	answersFile := flag.String("answers", "", "JSON: path to base64 of the answer")
	flag.Parse()
	answers := readAnswers(*answersFile)
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	if *admin != "" {
		go serveCounters(*admin)
	}
	for {
		socket, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		counters.accepted.Add(1)
		counters.open.Add(1)
		go func() {
			defer counters.open.Add(-1)
			defer socket.Close()
			newConnection(socket, answers).serve()
		}()
	}
}
