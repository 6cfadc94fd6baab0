// Prints what v2.2.32 of the public API says of the packages in proto/.
package main

import (
	"os"

	_ "d7y.io/api/v2/pkg/apis/manager/v1"
	_ "d7y.io/api/v2/pkg/apis/manager/v2"
	_ "google.golang.org/grpc/health/grpc_health_v1"

	"protodrift/describe"
)

func main() {
	describe.Run(os.Stdout, os.Stderr, "manager", "manager.v2", "grpc.health.v1")
}
