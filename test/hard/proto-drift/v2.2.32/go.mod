module protodrift/v2.2.32

go 1.25.5

require (
	d7y.io/api/v2 v2.2.32
	google.golang.org/grpc v1.82.1
	protodrift/describe v0.0.0
)

require (
	github.com/envoyproxy/protoc-gen-validate v1.3.3 // indirect
	golang.org/x/net v0.53.0 // indirect
	golang.org/x/sys v0.43.0 // indirect
	golang.org/x/text v0.36.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260414002931-afd174a4e478 // indirect
	google.golang.org/protobuf v1.36.11 // indirect
)

replace protodrift/describe => ../describe
