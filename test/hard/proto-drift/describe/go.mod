module protodrift/describe

go 1.21

require google.golang.org/protobuf v1.34.2
