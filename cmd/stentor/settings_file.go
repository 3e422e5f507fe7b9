package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds the configuration file, in bytes.
const maxFile = 1 << 20

// fromFile reads a YAML file of one mapping: flag names without dashes in front
// to a value, or to a list of them where the flag may be repeated.
func fromFile(path string, known map[string]struct{}) (map[string]setting, error) {
	doc, err := readYAML(path)
	if err != nil || doc == nil {
		return nil, err
	}
	if doc.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:%d: give one setting a line, like \"listen: 127.0.0.1:8080\"", path, doc.Line)
	}
	settings := map[string]setting{}
	var errs []error
	for i := 0; i+1 < len(doc.Content); i += 2 {
		key, value := doc.Content[i], doc.Content[i+1]
		where := fmt.Sprintf("%s:%d: %.64s", path, key.Line, key.Value)
		if _, ok := known[key.Value]; !ok || key.Value == "config" || key.Kind != yaml.ScalarNode {
			errs = append(errs, fmt.Errorf("%s:%d: unknown key %.64q; known are %s", path, key.Line, key.Value, keys(known)))
			continue
		}
		if first, twice := settings[key.Value]; twice {
			errs = append(errs, fmt.Errorf("%s: given twice, first at %s", where, first.where))
			continue
		}
		values, err := scalars(value)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", where, err))
			continue
		}
		settings[key.Value] = setting{where, values}
	}
	return settings, errors.Join(errs...)
}

// readYAML reads the one document of a file; nil when the file has none.
func readYAML(path string) (*yaml.Node, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("%s: over %d bytes: this is no configuration file", path, maxFile)
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	var doc, more yaml.Node
	if err := d.Decode(&doc); err == io.EOF {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := d.Decode(&more); err != io.EOF {
		return nil, fmt.Errorf("%s: holds more than one document; keep the first", path)
	}
	if len(doc.Content) != 1 || doc.Content[0].Tag == "!!null" {
		return nil, nil
	}
	return doc.Content[0], nil
}

// scalars are the texts of a value or of a list of values.
func scalars(n *yaml.Node) ([]string, error) {
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		return nil, errors.New("has no value; give one or remove the line")
	case n.Kind == yaml.ScalarNode:
		return []string{n.Value}, nil
	case n.Kind != yaml.SequenceNode:
		return nil, errors.New("give a value, or a list of values")
	}
	var all []string
	for _, item := range n.Content {
		if item.Kind != yaml.ScalarNode || item.Tag == "!!null" {
			return nil, fmt.Errorf("line %d: give a value", item.Line)
		}
		all = append(all, item.Value)
	}
	return all, nil
}

func keys(known map[string]struct{}) string {
	names := slices.Sorted(maps.Keys(known))
	return strings.Join(slices.DeleteFunc(names, func(n string) bool { return n == "config" }), ", ")
}
