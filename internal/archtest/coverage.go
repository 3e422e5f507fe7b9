package archtest

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// coverageTable says for every fact of the systems that Stentor covers what there
// is here and which test proves it.
const coverageTable = "docs/coverage.md"

// catalogue has how many facts of each system are numbered; some numbers were
// never given.
func catalogue() map[string]int { return map[string]int{"K": 64, "L": 77, "S": 32, "B": 39} }

func neverGiven(fact string) bool {
	switch fact {
	case "L-07", "L-08", "L-09", "B-34", "B-35", "B-36":
		return true
	}
	return false
}

// checkCoverage looks at the table: every fact has a row, every row names a test
// or says why there is nothing to prove, and every test it names exists.
func (t *tree) checkCoverage(report report) {
	table, ok := t.docs[coverageTable]
	if !ok {
		return
	}
	tests := t.tests()
	covered := map[string]bool{}
	for n, line := range strings.Split(table, "\n") {
		cells := strings.Split(line, "|")
		if !strings.HasPrefix(line, "|") || len(cells) < 5 {
			continue
		}
		proof := cells[len(cells)-2]
		named := regexp.MustCompile(`\b(?:Test|Fuzz|Example)(?:[A-Z_]\w*)?\b`).FindAllString(proof, -1)
		for _, name := range named {
			if tests[name] == nil {
				report("%s:%d: there is no %s", coverageTable, n+1, name)
			}
		}
		facts := factsIn(cells[1])
		for _, fact := range facts {
			covered[fact] = true
		}
		if strings.TrimSpace(strings.Join(cells[3:], "")) == "" || len(facts) > 0 && len(named) == 0 && !strings.ContainsAny(proof, "—–") {
			report("%s:%d: %s: name its test, or write – and say why there is none", coverageTable, n+1, strings.TrimSpace(cells[1]))
		}
	}
	for _, system := range slices.Sorted(maps.Keys(catalogue())) {
		for n := range catalogue()[system] {
			if fact := fmt.Sprintf("%s-%02d", system, n+1); !covered[fact] && !neverGiven(fact) {
				report("%s: %s has no row", coverageTable, fact)
			}
		}
	}
}

// factsIn reads "K-07", "K-07, K-09" and "K-07–K-09".
func factsIn(cell string) (facts []string) {
	for _, m := range regexp.MustCompile(`([KLSB])-(\d+)(?:\s*[–…]\s*(?:[KLSB]-)?(\d+))?`).FindAllStringSubmatch(cell, -1) {
		from, _ := strconv.Atoi(m[2]) // digits, and few of them
		to, err := strconv.Atoi(m[3])
		if err != nil {
			to = from
		}
		for n := from; n <= min(to, catalogue()[m[1]]); n++ {
			facts = append(facts, fmt.Sprintf("%s-%02d", m[1], n))
		}
	}
	return facts
}
