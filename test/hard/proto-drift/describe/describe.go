// Package describe prints compiled protobuf descriptors as JSON, in the shape that the comparison in
// proto-drift.test.ts reads.
package describe

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// Field is one field of a message. Type is the full name of its message or enum, if it has one.
type Field struct {
	Name   string `json:"name"`
	Number int32  `json:"number"`
	Kind   string `json:"kind"`
	Type   string `json:"type"`
	// Label is "singular", "optional" (explicit presence), "repeated" or "map".
	Label string `json:"label"`
	Oneof string `json:"oneof"`
}

// Method is one method of a service.
type Method struct {
	Name         string `json:"name"`
	Input        string `json:"input"`
	Output       string `json:"output"`
	ClientStream bool   `json:"clientStream"`
	ServerStream bool   `json:"serverStream"`
}

// Schema holds everything by full name. Map entries are messages of their own, as in a descriptor.
type Schema struct {
	Messages map[string][]Field          `json:"messages"`
	Enums    map[string]map[string]int32 `json:"enums"`
	Services map[string][]Method         `json:"services"`
}

// Run prints the schema of the packages, and of the messages and enums that they use outside of themselves.
// A package that nothing linked into this program belongs to is an error: exit code 1.
func Run(out, errors io.Writer, packages ...string) {
	schema := Schema{
		Messages: map[string][]Field{},
		Enums:    map[string]map[string]int32{},
		Services: map[string][]Method{},
	}
	for _, name := range packages {
		found := false
		protoregistry.GlobalFiles.RangeFilesByPackage(protoreflect.FullName(name), func(file protoreflect.FileDescriptor) bool {
			found = true
			schema.addFile(file)
			return true
		})
		if !found {
			fmt.Fprintf(errors, "no linked descriptor belongs to package %s\n", name)
			os.Exit(1)
		}
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(schema); err != nil {
		fmt.Fprintln(errors, err)
		os.Exit(1)
	}
}

func (schema *Schema) addFile(file protoreflect.FileDescriptor) {
	for i := 0; i < file.Messages().Len(); i++ {
		schema.addMessage(file.Messages().Get(i))
	}
	for i := 0; i < file.Enums().Len(); i++ {
		schema.addEnum(file.Enums().Get(i))
	}
	for i := 0; i < file.Services().Len(); i++ {
		schema.addService(file.Services().Get(i))
	}
}

func (schema *Schema) addMessage(message protoreflect.MessageDescriptor) {
	name := string(message.FullName())
	if _, done := schema.Messages[name]; done {
		return
	}
	fields := []Field{}
	schema.Messages[name] = fields // set before the fields are walked: messages refer to each other in circles
	for i := 0; i < message.Fields().Len(); i++ {
		fields = append(fields, schema.describeField(message.Fields().Get(i)))
	}
	schema.Messages[name] = fields
	for i := 0; i < message.Messages().Len(); i++ {
		schema.addMessage(message.Messages().Get(i))
	}
	for i := 0; i < message.Enums().Len(); i++ {
		schema.addEnum(message.Enums().Get(i))
	}
}

func (schema *Schema) describeField(field protoreflect.FieldDescriptor) Field {
	described := Field{
		Name:   string(field.Name()),
		Number: int32(field.Number()),
		Kind:   field.Kind().String(),
		Label:  label(field),
	}
	if oneof := field.ContainingOneof(); oneof != nil && !oneof.IsSynthetic() {
		described.Oneof = string(oneof.Name())
	}
	if message := field.Message(); message != nil {
		described.Type = string(message.FullName())
		schema.addMessage(message)
	}
	if enum := field.Enum(); enum != nil {
		described.Type = string(enum.FullName())
		schema.addEnum(enum)
	}
	return described
}

func label(field protoreflect.FieldDescriptor) string {
	switch {
	case field.IsMap():
		return "map"
	case field.IsList():
		return "repeated"
	case field.HasOptionalKeyword():
		return "optional"
	default:
		return "singular"
	}
}

func (schema *Schema) addEnum(enum protoreflect.EnumDescriptor) {
	values := map[string]int32{}
	for i := 0; i < enum.Values().Len(); i++ {
		value := enum.Values().Get(i)
		values[string(value.Name())] = int32(value.Number())
	}
	schema.Enums[string(enum.FullName())] = values
}

func (schema *Schema) addService(service protoreflect.ServiceDescriptor) {
	methods := []Method{}
	for i := 0; i < service.Methods().Len(); i++ {
		method := service.Methods().Get(i)
		methods = append(methods, Method{
			Name:         string(method.Name()),
			Input:        string(method.Input().FullName()),
			Output:       string(method.Output().FullName()),
			ClientStream: method.IsStreamingClient(),
			ServerStream: method.IsStreamingServer(),
		})
		schema.addMessage(method.Input())
		schema.addMessage(method.Output())
	}
	schema.Services[string(service.FullName())] = methods
}
