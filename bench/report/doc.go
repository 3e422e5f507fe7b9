// Package report writes numbers of several runs, and says what machine they are from.
package report
