module protodrift/v2.0.148

go 1.21

require (
	d7y.io/api/v2 v2.0.148
	google.golang.org/grpc v1.65.0
	protodrift/describe v0.0.0
)

require (
	github.com/envoyproxy/protoc-gen-validate v1.1.0 // indirect
	golang.org/x/net v0.26.0 // indirect
	golang.org/x/sys v0.21.0 // indirect
	golang.org/x/text v0.16.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20240528184218-531527333157 // indirect
	google.golang.org/protobuf v1.34.2 // indirect
)

replace protodrift/describe => ../describe
