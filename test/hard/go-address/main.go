// Prints, as JSON, what Go makes of addresses and network blocks in the two ways of the manager's searchers:
// net.ParseIP and net.ParseCIDR (v2.5.1), netip.ParseAddr and netip.ParsePrefix (later ones).
package main

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"net"
	"net/netip"
	"os"
	"strings"
)

type address struct {
	Text string `json:"text"`
	// Valid for net.ParseIP, which is what the manager's validators ask.
	Valid bool `json:"valid"`
}

type block struct {
	Text  string `json:"text"`
	Net   bool   `json:"net"`
	Netip bool   `json:"netip"`
}

type match struct {
	IP    string `json:"ip"`
	CIDR  string `json:"cidr"`
	Net   bool   `json:"net"`
	Netip bool   `json:"netip"`
}

var oddAddresses = strings.Split(`|0.0.0.0|1.2.3.4|255.255.255.255|256.1.1.1|01.2.3.4|1.2.3.04|1.2.3|1.2.3.4.5|1.2.3.|.1.2.3|1..2.3|1.2.3.4 | 1.2.3.4|0x1.2.3.4|+1.2.3.4|1.2.3.-4|1.2.3.4000|000.0.0.0|١.2.3.4|::|::1|1::|1::2|1:2:3:4:5:6:7:8|1:2:3:4:5:6:7|1:2:3:4:5:6:7:8:9|1:2:3:4:5:6:7::|::2:3:4:5:6:7:8|1::3:4:5:6:7:8|1:2:3:4::5:6:7:8|::1:2:3:4:5:6:7:8|1:::2|1::2::3|:1|1:|:|::1:|:1::|:::|12345::|g::|FE80::A|fe80::1%eth0|fe80::1%|%eth0|1.2.3.4%eth0|::1.2.3.4|::ffff:1.2.3.4|::FFFF:1.2.3.4|::ffff:102:304|0:0:0:0:0:ffff:1.2.3.4|1:2:3:4:5:6:1.2.3.4|1:2:3:4:5:6:7:1.2.3.4|1:2:3:4:5:1.2.3.4|::1.2.3.4:5|1.2.3.4::|::1.2.3|::1.2.3.256|::01.2.3.4|64:ff9b::1.2.3.4|2001:db8::0001|2001:db8::00001|2001:0db8:0:0:0:0:0:1|::ffff:1.2.3.4%x|[::1]|localhost|10.0.0.1/8|1::2:1.2.3.4|1:2:3:4:5:6::1.2.3.4|::g|1:2:3:4:5:6:7:`, "|")

var oddBlocks = strings.Split(`|/|10.0.0.0|10.0.0.0/|/8|10.0.0.0/8|10.1.2.3/8|10.0.0.0/08|10.0.0.0/008|10.0.0.0/0|10.0.0.0/00|10.0.0.0/32|10.0.0.0/33|10.0.0.0/-1|10.0.0.0/+8|10.0.0.0/8 | 10.0.0.0/8|10.0.0.0/ 8|10.0.0.0/8/8|10.0.0.0/0x8|10.0.0/8|010.0.0.0/8|10.0.0.0/255.0.0.0|::/0|::/128|::/129|2001:db8::/32|2001:db8::1/32|2001:db8::/032|fe80::%eth0/10|fe80::/10%eth0|::ffff:10.0.0.0/104|::ffff:10.0.0.0/8|::ffff:a00:0/104|::10.0.0.0/104|0.0.0.0/0|10.0.0.0/8a|10.0.0.0/a|::/1000|10.0.0.0/99999999999|64:ff9b::/96|1::/|1:/16|::/٨`, "|")

func main() {
	random := rand.New(rand.NewSource(1))
	addresses := append([]string{}, oddAddresses...)
	blocks := append([]string{}, oddBlocks...)
	for range 120 {
		addresses = append(addresses, mangle(random, randomAddress(random)))
		near := randomAddress(random)
		blocks = append(blocks, mangle(random, fmt.Sprintf("%s/%d", near, random.Intn(40))))
	}
	var found struct {
		Addresses []address `json:"addresses"`
		Blocks    []block   `json:"blocks"`
		Matches   []match   `json:"matches"`
	}
	for _, text := range addresses {
		found.Addresses = append(found.Addresses, address{text, net.ParseIP(text) != nil})
	}
	for _, text := range blocks {
		_, _, netErr := net.ParseCIDR(text)
		_, netipErr := netip.ParsePrefix(text)
		found.Blocks = append(found.Blocks, block{text, netErr == nil, netipErr == nil})
	}
	for range 1500 {
		cidr := blocks[random.Intn(len(blocks))]
		ip := addresses[random.Intn(len(addresses))]
		if random.Intn(2) == 0 {
			ip = within(random, cidr, ip)
		}
		found.Matches = append(found.Matches, match{ip, cidr, netContains(ip, cidr), netipContains(ip, cidr)})
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		panic(err)
	}
}

func netContains(ip, cidr string) bool {
	_, network, err := net.ParseCIDR(cidr)
	address := net.ParseIP(ip)
	return err == nil && address != nil && network.Contains(address)
}

func netipContains(ip, cidr string) bool {
	address, err := netip.ParseAddr(ip)
	if err != nil {
		return false
	}
	prefix, err := netip.ParsePrefix(cidr)
	return err == nil && prefix.Contains(address.Unmap())
}

func randomAddress(random *rand.Rand) string {
	bytes := make([]byte, []int{4, 16}[random.Intn(2)])
	for i := range bytes {
		if random.Intn(2) == 0 {
			bytes[i] = byte(random.Intn(256))
		}
	}
	address, _ := netip.AddrFromSlice(bytes)
	return address.String()
}

// An address near the block's own: some of its last bits changed.
func within(random *rand.Rand, cidr, otherwise string) string {
	address, err := netip.ParseAddr(strings.SplitN(cidr, "/", 2)[0])
	if err != nil {
		return otherwise
	}
	bytes := address.AsSlice()
	for i := random.Intn(len(bytes)); i < len(bytes); i++ {
		bytes[i] ^= byte(1 << random.Intn(8))
	}
	near, _ := netip.AddrFromSlice(bytes)
	if near.Is4() && random.Intn(4) == 0 {
		return "::ffff:" + near.String()
	}
	return near.String()
}

// One text in three gets a character removed, doubled or replaced.
func mangle(random *rand.Rand, text string) string {
	if random.Intn(3) != 0 || text == "" {
		return text
	}
	at := random.Intn(len(text))
	middle := []string{"", text[at:at+1] + text[at:at+1], "0", ":", ".", "/", "g"}[random.Intn(7)]
	return text[:at] + middle + text[at+1:]
}
