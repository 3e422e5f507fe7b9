package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// settings runs command up to where it would begin, and returns its flags and
// what it said.
func settings(t *testing.T, command string, env []string, args ...string) (flags map[string]string, said string) {
	t.Helper()
	var errs strings.Builder
	p := &program{env: env, stdin: strings.NewReader(""), stdout: io.Discard, stderr: &errs}
	root := p.rootCommand()
	cmd, _, err := root.Find([]string{command})
	if err != nil {
		t.Fatal(err)
	}
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		flags = map[string]string{}
		for name := range flagNames(root) {
			if f := cmd.Flags().Lookup(name); f != nil {
				flags[name] = f.Value.String()
			}
		}
		return nil
	}
	root.SetArgs(append([]string{command}, args...))
	root.SetErr(&errs)
	if err := root.ExecuteContext(context.Background()); err != nil {
		p.complain(err)
	}
	return flags, errs.String()
}

// file writes a configuration file and returns its path.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stentor.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSettingsPrecedence(t *testing.T) {
	config := file(t, `
# all but drain-timeout
listen: 127.0.0.1:1111
history-size: 1
history-age: 1h
history-bytes: 1MiB
allow-origin: [https://a.example, "https://b.example"]
log-format: json
count: 5   # of another command
`)
	env := []string{
		"STENTOR_CONFIG=" + config, "STENTOR_HISTORY_SIZE=2", "STENTOR_HISTORY_AGE=2h",
		"STENTOR_LOG_LEVEL=", "STENTOR_TYPE=of-another-command", "PATH=/bin", "STENTORIAN=1",
	}
	got, said := settings(t, "serve", env, "--history-age=3h")
	want := map[string]string{
		"listen": "127.0.0.1:1111", "history-size": "2", "history-age": "3h", "history-bytes": "1MiB",
		"allow-origin": "https://a.example,https://b.example", "log-format": "json",
		"drain-timeout": "20s", "engine": "auto", "slow-readers": "resume", "log-level": "info", "public-url": "", "config": config,
		"data": "", "history-rule": "", "data-interval": "0s", "tls-cert": "", "tls-key": "", "compress": "false",
	}
	if got == nil {
		t.Fatalf("it did not begin: %s", said)
	}
	for name, w := range want {
		if got[name] != w {
			t.Errorf("%s is %q, want %q", name, got[name], w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("flags %v, want %d of them", got, len(want))
	}
}

func TestSettingsConfigFlagBeatsEnvironment(t *testing.T) {
	got, said := settings(t, "serve", []string{"STENTOR_CONFIG=/does/not/exist"}, "--config", file(t, "history-size: 7"))
	if got["history-size"] != "7" {
		t.Errorf("history-size %q, want 7; it said %s", got["history-size"], said)
	}
}

// Every flag of every command can be set in each of the three ways.
func TestSettingsReachEveryFlag(t *testing.T) {
	values := map[string]string{
		"listen": "127.0.0.1:9", "data": "/d", "history-rule": "a* size=1", "data-interval": "1s", "history-size": "3", "history-age": "4m", "history-bytes": "5KiB",
		"allow-origin": "https://a.example", "public-url": "https://e.example", "drain-timeout": "6s",
		"tls-cert": "c.pem", "tls-key": "k.pem", "compress": "true",
		"engine": "attached", "slow-readers": "skip", "log-level": "debug", "log-format": "json", "channels": "x,y", "type": "t", "json": "true",
		"remote-control": "signed-in", "lines": "true", "url": "http://127.0.0.1:9", "last-event-id": "8", "count": "9", "all": "true", "subject": "s", "remove": "true",
	}
	seen := map[string]bool{}
	for _, command := range []string{"serve", "demo", "publish", "subscribe"} {
		flags, _ := settings(t, command, nil)
		for name := range flags {
			if name == "config" {
				continue
			}
			value, ok := values[name]
			if !ok {
				t.Errorf("%s: --%s is not in this test", command, name)
				continue
			}
			seen[name] = true
			for way, got := range map[string]func() (map[string]string, string){
				"flag": func() (map[string]string, string) { return settings(t, command, nil, "--"+name+"="+value) },
				"env": func() (map[string]string, string) {
					return settings(t, command, []string{variableOf(name) + "=" + value})
				},
				"file": func() (map[string]string, string) {
					return settings(t, command, nil, "--config", file(t, name+": "+value))
				},
			} {
				if flags, said := got(); flags[name] != value {
					t.Errorf("%s: %s by %s is %q, want %q; it said %s", command, name, way, flags[name], value, said)
				}
			}
		}
	}
	if len(seen) != len(values) {
		t.Errorf("%d flags, want %d", len(seen), len(values))
	}
}

func TestSettingsErrors(t *testing.T) {
	tests := []struct {
		name string
		env  []string
		file string // "" is none
		args []string
		want []string // in what it says
	}{
		{name: "unknown flag", args: []string{"--histroy-size=1"}, want: []string{"--histroy-size"}},
		{name: "bad flag", args: []string{"--history-size=many"}, want: []string{"--history-size", `"many"`, "whole number"}},
		{name: "unknown variable", env: []string{"STENTOR_HISTROY_SIZE=1"}, want: []string{"STENTOR_HISTROY_SIZE", "STENTOR_HISTORY_SIZE"}},
		{name: "lower case variable", env: []string{"STENTOR_history_size=1"}, want: []string{"STENTOR_history_size"}},
		{name: "bad variable", env: []string{"STENTOR_HISTORY_AGE=24"}, want: []string{"STENTOR_HISTORY_AGE", `"24"`, "24h"}},
		{name: "bad variable under a flag", env: []string{"STENTOR_HISTROY=1"}, args: []string{"--history-size=1"}, want: []string{"STENTOR_HISTROY"}},
		{name: "unknown key", file: "listen: 127.0.0.1:0\nhistroy-size: 1\n", want: []string{"stentor.yaml:2", `"histroy-size"`, "history-size"}},
		{name: "bad value", file: "\n\nhistory-bytes: 1.5GB\n", want: []string{"stentor.yaml:3: history-bytes", `"1.5GB"`, "64MiB"}},
		{name: "two errors", file: "log-level: loud\nlog-format: xml\n", want: []string{"stentor.yaml:1: log-level", "stentor.yaml:2: log-format"}},
		{name: "no value", file: "listen:\n", want: []string{"stentor.yaml:1: listen", "no value"}},
		{name: "list for one", file: "listen: [127.0.0.1:1, 127.0.0.1:2]\n", want: []string{"stentor.yaml:1: listen", "not a list"}},
		{name: "mapping for one", file: "listen: {port: 1}\n", want: []string{"stentor.yaml:1: listen", "a value"}},
		{name: "list of lists", file: "allow-origin:\n- [a]\n", want: []string{"stentor.yaml:1: allow-origin", "line 2"}},
		{name: "key twice", file: "history-size: 1\nhistory-size: 2\n", want: []string{"stentor.yaml:2: history-size", "twice", "stentor.yaml:1"}},
		{name: "config in the file", file: "config: other.yaml\n", want: []string{"stentor.yaml:1", `"config"`}},
		{name: "anchors", file: "listen: &a 127.0.0.1:1\npublic-url: *a\n", want: []string{"stentor.yaml:2: public-url"}},
		{name: "merge key", file: "<<: {listen: x}\n", want: []string{`"<<"`}},
		{name: "not YAML", file: "listen: [\n", want: []string{"stentor.yaml"}},
		{name: "a list", file: "- listen\n", want: []string{"stentor.yaml:1", "listen: 127.0.0.1:8080"}},
		{name: "two documents", file: "listen: 127.0.0.1:1\n---\nlisten: 127.0.0.1:2\n", want: []string{"stentor.yaml", "more than one document"}},
		{name: "a huge file", file: strings.Repeat("# nothing\n", 200_000), want: []string{"stentor.yaml", "no configuration file"}},
		{name: "terminal codes", file: "\"a\\x1b[31m\": 1\n", want: []string{`\x1b[31m`}},
		{name: "no such file", args: []string{"--config", "/does/not/exist.yaml"}, want: []string{"/does/not/exist.yaml"}},
		{name: "not an origin", args: []string{"--allow-origin=https://a.example/app"}, want: []string{"--allow-origin", "https://app.example"}},
		{name: "not a URL", args: []string{"--public-url=events.example"}, want: []string{"--public-url", "https://events.example"}},
		{name: "a query", args: []string{"--public-url=https://e.example/?a"}, want: []string{"--public-url", "?"}},
		{name: "no port", args: []string{"--listen=127.0.0.1"}, want: []string{"--listen", "host and port"}},
		{name: "a bad port", args: []string{"--listen=127.0.0.1:70000"}, want: []string{"--listen", "65535"}},
		{name: "negative time", args: []string{"--drain-timeout=-1s"}, want: []string{"--drain-timeout", "0s or more"}},
		{name: "kept for no time", args: []string{"--history-age=0"}, want: []string{"--history-age", "1ms or more"}},
		{name: "no engine", args: []string{"--engine=detached"}, want: []string{"--engine", `"detached"`, "auto", "attached"}},
		{name: "negative size", args: []string{"--history-size=-1"}, want: []string{"--history-size", "0 or more"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := tt.args
			if tt.file != "" {
				args = append(args, "--config", file(t, tt.file))
			}
			flags, said := settings(t, "serve", tt.env, args...)
			if flags != nil {
				t.Errorf("it began, with %v", flags)
			}
			for _, w := range tt.want {
				if !strings.Contains(said, w) {
					t.Errorf("it does not say %q but:\n%s", w, said)
				}
			}
			if strings.Contains(said, "\x1b") {
				t.Errorf("it sends codes to the terminal: %q", said)
			}
		})
	}
}

// What an orchestrator injects for a service called stentor stops nobody; what a
// user may have meant as a setting does.
func TestSettingsServiceLinks(t *testing.T) {
	links := []string{
		"STENTOR_SERVICE_HOST=10.0.0.1", "STENTOR_SERVICE_PORT=80", "STENTOR_SERVICE_PORT_HTTP=80",
		"STENTOR_PORT=tcp://10.0.0.1:80", "STENTOR_PORT_80_TCP=tcp://10.0.0.1:80", "STENTOR_PORT_80_TCP_PROTO=tcp",
		"STENTOR_PORT_80_TCP_PORT=80", "STENTOR_PORT_80_TCP_ADDR=10.0.0.1", "STENTOR_CHAT_SERVICE_HOST=10.0.0.2",
		"STENTOR_CHAT_PORT=tcp://10.0.0.2:80", "STENTOR_CHAT_PORT_80_TCP_ADDR=10.0.0.2",
	}
	if flags, said := settings(t, "serve", links); flags == nil {
		t.Errorf("it did not begin: %s", said)
	}
	for _, e := range []string{"STENTOR_PORT=8080", "STENTOR_HOST=x", "STENTOR_CHAT_PORT=80", "STENTOR_=1"} {
		if flags, _ := settings(t, "serve", []string{e}); flags != nil {
			t.Errorf("it took no notice of %s", e)
		}
	}
}

func TestSettingsSize(t *testing.T) {
	good := map[string]int64{
		"1": 1, "1B": 1, "64MiB": 64 << 20, "1GB": 1e9, "2 KiB": 2048, "3kb": 3000, "1tib": 1 << 40,
		"9223372036854775807": 1<<63 - 1, "8388607TiB": 8388607 << 40,
	}
	for text, want := range good {
		var n int64
		if err := size(&n).Set(text); err != nil || n != want {
			t.Errorf("%q is %d, %v; want %d", text, n, err, want)
		}
	}
	for _, text := range []string{"", "0", "-1", "B", "MiB", "1.5GB", "1e9", "8388608TiB", "99999999999999999999", "1 2", "0x10", "1PB"} {
		n := int64(7)
		if err := size(&n).Set(text); err == nil || n != 7 {
			t.Errorf("%q is %d, %v; want an error", text, n, err)
		}
	}
}

func TestSettingsRepeat(t *testing.T) {
	got, said := settings(t, "demo", nil, "--channels", "a,b", "--channels", "c", "--allow-origin", "*")
	if got["channels"] != "a,b,c" || got["allow-origin"] != "*" {
		t.Errorf("channels %q, allow-origin %q; it said %s", got["channels"], got["allow-origin"], said)
	}
	if got, _ := settings(t, "demo", nil); got["channels"] != "home" {
		t.Errorf("channels are %q by default, want home", got["channels"])
	}
}
