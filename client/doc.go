// Package client subscribes to a Stentor hub.
package client
