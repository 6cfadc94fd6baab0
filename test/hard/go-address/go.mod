module go-address

go 1.22
