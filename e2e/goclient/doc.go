// Package goclient has the Go client of a hub do what ServiceStack's client for C# does, against real
// hubs, on both faces.
package goclient
