// Prints what v2.0.148 of the public API says of the packages in proto/; the last version with security.Certificate
// and the three old methods of manager v1.
package main

import (
	"os"

	_ "d7y.io/api/v2/pkg/apis/manager/v1"
	_ "d7y.io/api/v2/pkg/apis/manager/v2"
	_ "d7y.io/api/v2/pkg/apis/security/v1"
	_ "google.golang.org/grpc/health/grpc_health_v1"

	"protodrift/describe"
)

func main() {
	describe.Run(os.Stdout, os.Stderr, "manager", "manager.v2", "security", "grpc.health.v1")
}
